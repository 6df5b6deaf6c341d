"""Matches in PostgreSQL: one method for each query of sql/queries/matches.sql. No decisions."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from pairquiz_server.rules.absence import Absence, Cause
from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.events import Answer, EndReason
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.reading import least_ms
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace, Run
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.queries import load
from pairquiz_server.store.questions import Questions, StoredQuestion
from pairquiz_server.store.rows import Change, batch
from pairquiz_server.store.tables import AnswerRow

_QUERIES = load("matches")
_FORGET_AT_ONCE = 10_000  # well within a statement's time

_answers = msgspec.json.Decoder(list[AnswerRow])
_run = msgspec.json.Decoder(Run)


class DueMatch(Struct, frozen=True):
    """A live match whose time is over, or has come."""

    id: str
    status: Status


class Matches:
    """The matches of one database. Every method raises `StorageUnavailable` where the database does not answer.

    `questions` are those that the process has in memory already: matches share their texts.
    """

    def __init__(self, database: Database, questions: Questions | None = None) -> None:
        self._database = database
        self._questions = questions or Questions(database)

    @property
    def available(self) -> bool:
        """Whether the database answers, as far as is known."""
        return self._database.available

    async def back(self) -> None:
        """Wait until the database answers, as far as is known."""
        await self._database.back()

    async def register(self, node: UUID) -> None:
        """Make a node known, before its first batch."""
        await self._database.write(_QUERIES["register"], node)

    async def save(self, changes: Iterable[Change], node: UUID, number: int) -> frozenset[str]:
        """Write a node's batch in one statement; return the ids of the matches that did not move.

        When this returns, all others are committed. After `StorageUnavailable` nobody knows, until `resolve` has
        looked. The numbers of a node's batches rise from 1.
        """
        rows = batch(changes)
        query = _QUERIES["save_answers"] if rows.answers_alone else _QUERIES["save"]
        records = await self._database.write(query, node, number, *rows.parameters())
        if not records:
            return frozenset()
        if any(record["id"] is None for record in records):
            raise StorageUnavailable("the database does not know this node's last batch")
        return frozenset(str(record["id"]) for record in records)

    async def resolve(self, node: UUID, number: int) -> frozenset[str] | None:
        """Return what `save` would have returned for the node's last batch, None where it is not committed.

        It never will be then. May be asked as often as it takes to get an answer.
        """
        ((stuck,),) = await self._database.write(_QUERIES["resolve"], node, number)
        return None if stuck is None else frozenset(map(str, stuck))

    async def load(self, ids: Sequence[str]) -> dict[str, Match]:
        """Return the whole matches that exist among `ids`."""
        records = await self._database.fetch(_QUERIES["load"], ids)
        drawn = {number for record in records for number in record["question_ids"] or ()}
        questions = await self._questions.read(drawn) if drawn else {}
        matches = (_match(record, questions) for record in records)
        return {match.id: match for match in matches}

    async def find_by_code(self, code: str, player_id: str) -> str | None:
        """Return the match that a join code opens to a player, or that this player joined with it."""
        found = await self._database.fetchval(_QUERIES["find_by_code"], code, player_id)
        return None if found is None else str(found)

    async def find_before_creation(
        self, player_id: str, request_id: str | None, count_to: int
    ) -> tuple[str | None, int]:
        """Return the match that a player has created under a request id, and how many live ones the player has.

        Those are counted to `count_to` on each seat.
        """
        ((earlier, live),) = await self._database.fetch(
            _QUERIES["find_before_creation"], player_id, request_id, count_to
        )
        return None if earlier is None else str(earlier), live

    async def find_live_of(self, players: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the live matches of those players who have any, the oldest first."""
        found: dict[str, list[str]] = {}
        for record in await self._database.fetch(_QUERIES["find_live_of"], players):
            found.setdefault(record["player_id"], []).append(str(record["id"]))
        return found

    async def find_unheard(self, known: Mapping[str, Mapping[str, int]]) -> dict[str, list[str]]:
        """Return, by player, the matches that have moved since, and the live ones of which a player knows nothing.

        `known` has all players who are asked for: which matches each knows, and in which version.
        """
        rows = [(player, match_id, version) for player, of in known.items() for match_id, version in of.items()]
        players, ids, versions = zip(*rows, strict=True) if rows else ((), (), ())
        found: dict[str, list[str]] = {}
        for record in await self._database.fetch(_QUERIES["find_unheard"], list(known), players, ids, versions):
            found.setdefault(record["player_id"], []).append(str(record["id"]))
        return found

    async def find_due(self, at: int, limit: int) -> list[DueMatch]:
        """Return live matches whose time was over at `at` (milliseconds), the longest overdue first."""
        records = await self._database.fetch(_QUERIES["find_due"], at, limit)
        return [DueMatch(str(record["id"]), Status(record["status"])) for record in records]

    async def next_due(self, after: int) -> int | None:
        """Return when the next live match is due after `after` (milliseconds), None where none is."""
        due: int | None = await self._database.fetchval(_QUERIES["next_due"], after)
        return due

    async def find_ticks(self, at: int, limit: int) -> list[DueMatch]:
        """Return live matches in which something happens by itself, at `at` (milliseconds) or sooner."""
        records = await self._database.fetch(_QUERIES["find_ticks"], at, limit)
        return [DueMatch(str(record["id"]), Status(record["status"])) for record in records]

    async def next_tick(self, after: int) -> int | None:
        """Return when something next happens by itself after `after` (milliseconds), None where nothing does."""
        at: int | None = await self._database.fetchval(_QUERIES["next_tick"], after)
        return at

    async def forget_requests(self, before: int) -> None:
        """Clear request ids of matches created before `before` (milliseconds): so many at once, the oldest first."""
        await self._database.fetch(_QUERIES["forget_requests"], before, _FORGET_AT_ONCE)


def _match(record: asyncpg.Record, stored: Mapping[int, StoredQuestion]) -> Match:
    questions = tuple(
        [
            stored[number].shown(tuple(order))
            for number, order in zip(record["question_ids"] or (), record["option_orders"] or (), strict=True)
        ]
    )
    answers: list[AnswerRow] = _answers.decode(record["answers"]) if record["answers"] else []
    seats = tuple(
        _seat(record, number, questions, tuple(answer.answer() for answer in answers if answer.player == number))
        for number in (1, 2)
        if record[f"player{number}_id"] is not None
    )
    return Match(
        id=str(record["id"]),
        version=record["version"],
        status=Status(record["status"]),
        topic_id=record["topic_id"],
        topic=record["topic"],
        question_count=record["question_count"],
        time_limit_s=record["time_limit_s"],
        scoring=Scoring(record["points"], record["speed_bonus"], ScoringProfile(record["scoring"])),
        join_code=record["join_code"],
        request_id=record["request_id"],
        seats=seats,
        created_at=record["created_at"],
        due_at=record["due_at"],
        joined_at=record["joined_at"],
        started_at=record["started_at"],
        deadline_at=record["deadline_at"],
        ended_at=record["ended_at"],
        end_reason=_end_reason(record),
        forfeited_by=None if record["forfeited_by"] is None else record["forfeited_by"] - 1,
        paused_at=record["paused_at"],
        resumed_at=record["resumed_at"],
        questions=questions,
        pace=Pace(record["pace"]),
        origin=Origin(record["origin"]),
        tick_at=record["tick_at"],
        reveals=tuple(record["reveals"] or ()),
        closes_at=record["closes_at"],
        previous_id=None if record["previous_id"] is None else str(record["previous_id"]),
        wins=(record["player1_wins"], record["player2_wins"]),
        ghost=None
        if record["ghost_match_id"] is None
        else Ghost(str(record["ghost_match_id"]), record["ghost_player"] - 1),
        ratings=None if record["player1_rating"] is None else (record["player1_rating"], record["player2_rating"]),
        pause_ms=record["pause_ms"],
        run=_run.decode(record["ghost_run"]) if record["ghost_run"] else None,
        unrecorded=record["unrecorded"] or 0,
    )


def _end_reason(record: asyncpg.Record) -> EndReason | None:
    if record["by_operator"]:
        return EndReason.OPERATOR
    return record["end_reason"] and EndReason(record["end_reason"])


def _seat(
    record: asyncpg.Record, number: int, questions: tuple[MatchQuestion, ...], answers: tuple[Answer, ...]
) -> Seat:
    ids = {answer.question_id for answer in answers}
    answered = [place for place, question in enumerate(questions) if question.id in ids]
    recorded_name = record["ghost_name"] if number == 2 else None
    return Seat(
        player=Player(
            id=record[f"player{number}_id"],
            kind=PlayerKind(record[f"player{number}_kind"]),
            display_name=recorded_name or record[f"player{number}_name"],
        ),
        score=record[f"player{number}_score"],
        completed_at=record[f"player{number}_completed_at"],
        answers=answers,
        absence=_absence(record, number),
        away_ms=record[f"player{number}_away_ms"],
        lag_credit_ms=sum(answer.lag_credit_ms for answer in answers),
        reading_ms=sum(least_ms(questions[place].text) for place in answered),
        answered=sum(1 << place for place in answered),
    )


def _absence(record: asyncpg.Record, number: int) -> Absence | None:
    since = record[f"player{number}_absent_since"]
    if since is None:
        return None
    return Absence(since, Cause(record[f"player{number}_absence_cause"]), record[f"player{number}_reconnect_by"])
