"""What the database holds after a run, read by SQL of our own and not by the server's."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

SETTLED_WITHIN_S = 30.0
"""A node that has died is buried, and another one rates in its place, sooner."""
UNSETTLED = """
    SELECT EXISTS (SELECT FROM pairquiz.seekers) OR EXISTS (
        SELECT FROM pairquiz.matches AS m
        WHERE status = 'completed' AND NOT EXISTS (SELECT FROM pairquiz.results AS r WHERE r.match_id = m.id))"""
QUERIES = {
    "matches": """
        SELECT id::text, version, status::text, question_count, time_limit_s, points, speed_bonus, request_id,
               player1_id, player2_id, player1_score, player2_score, player1_completed_at, player2_completed_at,
               started_at, deadline_at, resumed_at, due_at, ended_at, end_reason::text, forfeited_by, pace::text,
               origin::text, reveals, player1_absence_cause::text, player2_absence_cause::text
        FROM pairquiz.matches""",
    "questions": """
        SELECT d.match_id::text, q.id AS question_id,
               (SELECT option - 1 FROM generate_series(1, 4) option
                WHERE d.option_orders[drawn.place][option] = q.correct) AS right_option
        FROM pairquiz.draws d
        CROSS JOIN unnest(d.question_ids) WITH ORDINALITY drawn (id, place)
        JOIN pairquiz.questions q ON q.id = drawn.id
        ORDER BY d.match_id, drawn.place""",
    "answers": """
        SELECT match_id::text, player, ordinal, question_id, chosen, correct, base, bonus, arrived_at, judged_at
        FROM pairquiz.answers ORDER BY match_id, player, ordinal""",
    "results": "SELECT match_id::text, player, player_id, weight FROM pairquiz.results",
    "ratings": """
        SELECT player_id, sum(matches)::integer AS matches
        FROM pairquiz.ratings WHERE topic_id <> 0 GROUP BY 1""",
    "seekers": "SELECT player_id FROM pairquiz.seekers",
    "usage": """
        SELECT match_id::text, player_id, feature::text, count(*) AS times
        FROM pairquiz.feature_usage GROUP BY 1, 2, 3 HAVING count(*) > 1""",
}


@dataclass(slots=True)
class Answer:
    """A stored answer of player 1 or 2."""

    player: int
    ordinal: int
    question_id: int
    chosen: int
    correct: bool
    base: int
    bonus: int
    arrived_at: int
    judged_at: int

    @property
    def points(self) -> int:
        """What it counts."""
        return self.base + self.bonus


@dataclass(slots=True)
class Match:
    """A stored match; `players`, `scores` and `completed_at` are those of player 1 and 2, `right` of each question."""

    id: str
    version: int
    status: str
    question_count: int
    time_limit_s: int
    points: int
    speed_bonus: int
    request_id: str | None
    players: tuple[str, str | None]
    scores: tuple[int, int]
    completed_at: tuple[int | None, int | None]
    started_at: int | None
    deadline_at: int | None
    resumed_at: int | None
    due_at: int
    ended_at: int | None
    end_reason: str | None
    forfeited_by: int | None
    right: dict[int, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    pace: str = "free"
    origin: str = "invitation"
    reveals: tuple[int, ...] = ()
    away: tuple[str | None, str | None] = (None, None)
    """Why each was away at the end, None for who was there."""

    @property
    def in_rounds(self) -> bool:
        """Whether both have each question at the same moment."""
        return self.pace == "rounds"

    @property
    def span_ms(self) -> int:
        """How long all questions, or in rounds each, may be answered."""
        return (1 if self.in_rounds else self.question_count) * self.time_limit_s * 1000

    def until(self, question_id: int) -> int | None:
        """Return until when a question may be answered, None where it may not."""
        if not self.in_rounds:
            return self.deadline_at
        place = list(self.right).index(question_id) if question_id in self.right else len(self.reveals)
        return self.reveals[place] + self.span_ms if place < len(self.reveals) else None

    def of(self, player: int) -> list[Answer]:
        """Return the answers of player 1 or 2, in their order."""
        return [answer for answer in self.answers if answer.player == player]

    def answer(self, player: int, question_id: int) -> Answer | None:
        """Return an answer, None where there is none."""
        return next((one for one in self.of(player) if one.question_id == question_id), None)


@dataclass(slots=True)
class Result:
    """What a match has meant for player 1 or 2: how much it counted."""

    match_id: str
    player: int
    player_id: str
    weight: float


@dataclass
class Ledger:
    """All matches by id, the database's time (milliseconds), what was counted twice in the usage, and what remains.

    `results` is what matches have meant for their players, `ratings` says on how many those of each player rest, and
    `seekers` who is in the queue.
    """

    matches: dict[str, Match]
    now: int
    counted_twice: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    ratings: dict[str, int] = field(default_factory=dict)
    seekers: list[str] = field(default_factory=list)


async def settle(dsn: str) -> None:
    """Wait until nobody looks for an opponent any more, and all that is over is rated; at most `SETTLED_WITHIN_S`.

    What is left then is for the verdict.
    """
    connection = await asyncpg.connect(dsn)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                while await connection.fetchval(UNSETTLED):  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def read(dsn: str) -> Ledger:
    """Read everything in one snapshot."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            now = await connection.fetchval("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            rows = {name: await connection.fetch(query) for name, query in QUERIES.items()}
    finally:
        await connection.close()
    matches = {row["id"]: _match(row) for row in rows["matches"]}
    for row in rows["questions"]:
        matches[row["match_id"]].right[row["question_id"]] = row["right_option"]
    orphans = []
    for row in rows["answers"]:
        match_id, *values = row.values()
        if match_id in matches:
            matches[match_id].answers.append(Answer(*values))
        else:
            orphans.append(f"an answer in a match {match_id} that is not there")
    twice = [f"{row['player_id']} {row['feature']} {row['match_id']} {row['times']} times" for row in rows["usage"]]
    return Ledger(
        matches,
        now,
        orphans + twice,
        results=[Result(*row.values()) for row in rows["results"]],
        ratings={row["player_id"]: row["matches"] for row in rows["ratings"]},
        seekers=[row["player_id"] for row in rows["seekers"]],
    )


def _match(row: asyncpg.Record) -> Match:
    return Match(
        id=row["id"],
        version=row["version"],
        status=row["status"],
        question_count=row["question_count"],
        time_limit_s=row["time_limit_s"],
        points=row["points"],
        speed_bonus=row["speed_bonus"],
        request_id=row["request_id"],
        players=(row["player1_id"], row["player2_id"]),
        scores=(row["player1_score"], row["player2_score"]),
        completed_at=(row["player1_completed_at"], row["player2_completed_at"]),
        started_at=row["started_at"],
        deadline_at=row["deadline_at"],
        resumed_at=row["resumed_at"],
        due_at=row["due_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        forfeited_by=row["forfeited_by"],
        pace=row["pace"],
        origin=row["origin"],
        reveals=tuple(row["reveals"] or ()),
        away=(row["player1_absence_cause"], row["player2_absence_cause"]),
    )
