"""Matches in every state, each made by the commands that lead there.

Anna creates, Ben joins, Cleo is a stranger, and Dora was recorded: her ghost plays.
"""

from msgspec.structs import replace

from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    PairPlayers,
    StartMatch,
    SubmitAnswer,
    Tick,
    Topic,
)
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import GHOST_ID, Player, PlayerKind
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Ghost, Origin, Pace, Run, Step

MATCH_ID = "8b1a2f0e-6f4b-4a53-9d0e-0c7f5d1e2a3b"
RECORDED_ID = "33333333-3333-4333-8333-333333333333"
GHOST = Player(GHOST_ID, PlayerKind.GHOST, "Dora")
ANNA = Player("anna", PlayerKind.USER, "Anna")
BEN = Player("guest:ben", PlayerKind.GUEST, "Ben")
CLEO = Player("cleo", PlayerKind.USER, "Cleo")

QUESTION_COUNT = 2
TIME_LIMIT_S = 10
CREATED_AT = 1_700_000_000_000
WAITING_UNTIL = CREATED_AT + 600_000
JOINED_AT = CREATED_AT + 5_000
READY_UNTIL = JOINED_AT + 300_000
START_DELAY_MS = 3_000
STARTED_AT = JOINED_AT + 7_000
DEADLINE_AT = STARTED_AT + 20_000
MARGIN_MS = 300
LEAD_MS = 200
PAUSE_MS = 2_000
REVEAL_AT = STARTED_AT + LEAD_MS
CLOSES_AT = REVEAL_AT + TIME_LIMIT_S * 1000
"""Of the first round."""

DRAW = (
    MatchQuestion(11, "Which is a river?", ("Alps", "Rhine", "Malta", "Paris"), 1, (3, 0, 2, 1)),
    MatchQuestion(12, "Which is a number?", ("0", "x", "2y", "z"), 0, (0, 1, 2, 3)),
)
FIRST, SECOND = DRAW


def create(**changes: object) -> CreateMatch:
    """Anna's creation, with some fields changed."""
    command = CreateMatch(
        match_id=MATCH_ID,
        player=ANNA,
        topic=Topic(7, "Sea", QUESTION_COUNT),
        join_code="7KQ2M4XA",
        question_count=QUESTION_COUNT,
        time_limit_s=TIME_LIMIT_S,
        scoring=Scoring(),
        waiting_ttl_ms=WAITING_UNTIL - CREATED_AT,
        request_id="wish-1",
    )
    return replace(command, **changes)


def pair(**changes: object) -> PairPlayers:
    """Anna and Ben are brought together, with some fields changed."""
    command = PairPlayers(
        match_id=MATCH_ID,
        players=(ANNA, BEN),
        origin=Origin.SEARCH,
        topic=Topic(7, "Sea", QUESTION_COUNT),
        question_count=QUESTION_COUNT,
        time_limit_s=TIME_LIMIT_S,
        scoring=Scoring(),
        pace=Pace.FREE,
        start_delay_ms=START_DELAY_MS,
        ready_ttl_ms=READY_UNTIL - JOINED_AT,
    )
    return replace(command, **changes)


def join(player: Player = BEN) -> JoinMatch:
    return JoinMatch(match_id=MATCH_ID, player=player, ready_ttl_ms=READY_UNTIL - JOINED_AT)


def start(player: Player = ANNA, draw: tuple[MatchQuestion, ...] = DRAW) -> StartMatch:
    return StartMatch(match_id=MATCH_ID, player_id=player.id, draw=draw, lead_ms=LEAD_MS, pause_ms=PAUSE_MS)


def submit(
    player: Player = ANNA,
    question: MatchQuestion = FIRST,
    answer: int | str | None = None,
    *,
    lag_ms: int = 0,
    allowance: LagAllowance | None = None,
) -> SubmitAnswer:
    """An answer, the right one where none is named."""
    return SubmitAnswer(
        match_id=MATCH_ID,
        player_id=player.id,
        question_id=question.id,
        answer=question.correct if answer is None else answer,
        lag_ms=lag_ms,
        allowance=allowance or LagAllowance(),
    )


def complete(player: Player = ANNA) -> CompleteQuiz:
    return CompleteQuiz(match_id=MATCH_ID, player_id=player.id)


def end(winner: int | None = None) -> EndMatch:
    return EndMatch(match_id=MATCH_ID, winner=winner)


def leave(player: Player = ANNA) -> LeaveMatch:
    return LeaveMatch(match_id=MATCH_ID, player_id=player.id)


def go(player: Player = ANNA, cause: Cause = Cause.CLOSED, patience: Patience | None = None) -> MarkAbsent:
    """A player's last connection is gone."""
    return MarkAbsent(match_id=MATCH_ID, player_id=player.id, cause=cause, patience=patience or Patience())


def come_back(player: Player = ANNA) -> MarkPresent:
    return MarkPresent(match_id=MATCH_ID, player_id=player.id)


def start_by_itself(draw: tuple[MatchQuestion, ...] = DRAW) -> StartMatch:
    return StartMatch(match_id=MATCH_ID, player_id=None, draw=draw, lead_ms=LEAD_MS, pause_ms=PAUSE_MS)


def tick() -> Tick:
    return Tick(match_id=MATCH_ID, lead_ms=LEAD_MS)


def end_overdue(margin_ms: int = MARGIN_MS) -> EndOverdue:
    return EndOverdue(match_id=MATCH_ID, margin_ms=margin_ms)


def play(match: Match | None, now: int, *commands: Command) -> Match:
    """The match after commands that all arrive at one time, and none of which is refused."""
    for command in commands:
        match = decide(match, command, now).match
    assert match is not None
    return match


def waiting() -> Match:
    return play(None, CREATED_AT, create())


def ready() -> Match:
    return play(waiting(), JOINED_AT, join())


def paired() -> Match:
    """Anna and Ben were brought together."""
    return play(None, JOINED_AT, pair())


def running(time_limit_s: int = 120) -> Match:
    """Started, and nothing has happened yet."""
    joined = play(play(None, CREATED_AT, create(time_limit_s=time_limit_s)), JOINED_AT, join())
    return play(joined, STARTED_AT, start(BEN))


def in_progress(*commands: Command, now: int = STARTED_AT + 1_000, scoring: Scoring | None = None) -> Match:
    """A running match, after commands that arrive one second into it."""
    opened = play(None, CREATED_AT, create(scoring=scoring or Scoring()))
    return play(play(play(opened, JOINED_AT, join()), STARTED_AT, start()), now, *commands)


def in_rounds(*commands: Command, now: int = STARTED_AT + 1_000, draw: tuple[MatchQuestion, ...] = DRAW) -> Match:
    """A match in its first round, after commands that arrive one second into it."""
    opened = play(play(None, CREATED_AT, create(pace=Pace.ROUNDS)), JOINED_AT, join())
    return play(play(opened, STARTED_AT, start(draw=draw)), now, *commands)


def between_rounds(*commands: Command) -> Match:
    """The match after its first round, which both have answered, and after more commands."""
    return in_rounds(submit(ANNA), submit(BEN), *commands)


def in_last_round(*commands: Command) -> Match:
    """The match in its second and last round, which asks `FIRST`, after commands that arrive a second into it."""
    match = in_rounds(submit(ANNA, SECOND), submit(BEN, SECOND), draw=(SECOND, FIRST))
    assert match.tick_at is not None
    return play(play(match, match.tick_at, tick()), match.tick_at + 1_000, *commands)


def completed() -> Match:
    """Both have said that they are done; nobody has answered anything."""
    return in_progress(complete(ANNA), complete(BEN))


def timed_out(*commands: Command) -> Match:
    return play(in_progress(*commands), DEADLINE_AT + MARGIN_MS, end_overdue())


def forfeited(player: Player = BEN, *commands: Command) -> Match:
    return in_progress(*commands, leave(player))


def overdue(match: Match) -> Match:
    """The match after the sweeper, which came as soon as it could."""
    return play(match, match.due_at + MARGIN_MS, end_overdue())


def forsaken() -> Match:
    """Ben was away for too long."""
    return overdue(in_progress(go(BEN)))


def forsaken_by_both() -> Match:
    return overdue(in_progress(go(ANNA), go(BEN)))


def withdrawn() -> Match:
    """Anna has left before anybody came."""
    return play(waiting(), JOINED_AT, leave(ANNA))


def abandoned() -> Match:
    """Ben has left before anybody started."""
    return play(ready(), STARTED_AT, leave(BEN))


def never_joined() -> Match:
    return play(waiting(), WAITING_UNTIL + MARGIN_MS, end_overdue())


def never_started() -> Match:
    return play(ready(), READY_UNTIL + MARGIN_MS, end_overdue())


RUN = Run((Step(12, 1, 1_500), Step(11, 1, 1_700)))
"""What a ghost does in a match: it answers the second question wrongly, and then the first one rightly."""


def against_ghost(*commands: Command, now: int = STARTED_AT + 1_000, run: Run = RUN) -> Match:
    """Anna's running match against a ghost, after commands that arrive one second into it."""
    opened = play(None, JOINED_AT, pair(players=(ANNA, GHOST), origin=Origin.GHOST, ghost=Ghost(RECORDED_ID, 1)))
    started = play(opened, STARTED_AT, replace(start(), run=run))
    return play(started, now, *commands)


SITUATIONS = {
    "waiting": waiting(),
    "waiting, Anna away": play(waiting(), JOINED_AT, go(ANNA)),
    "ready": ready(),
    "ready, Anna away": play(ready(), STARTED_AT, go(ANNA)),
    "paired": paired(),
    "paired, Anna away": play(paired(), JOINED_AT, go(ANNA)),
    "in progress": in_progress(),
    "in progress, Anna away": in_progress(go(ANNA)),
    "in progress, Anna away at her last question": in_progress(submit(ANNA, SECOND), go(ANNA)),
    "in progress, Ben done, Anna away at her last question": in_progress(submit(ANNA, SECOND), complete(BEN), go(ANNA)),
    "in progress, both away": in_progress(go(ANNA), go(BEN)),
    "in progress, Anna at her last question": in_progress(submit(ANNA, SECOND)),
    "in progress, Ben done, Anna at her last question": in_progress(submit(ANNA, SECOND), complete(BEN)),
    "in progress, Anna done": in_progress(complete(ANNA)),
    "in progress against a ghost": against_ghost(),
    "in progress against a ghost at its last question, Anna done": against_ghost(
        complete(ANNA), run=Run(RUN.steps[:1], 1_500)
    ),
    "rounds, the first": in_rounds(),
    "rounds, the first, Ben has answered": in_rounds(submit(BEN)),
    "rounds, the first, Ben done": in_rounds(complete(BEN)),
    "rounds, the first, Anna away": in_rounds(go(ANNA)),
    "rounds, the first, Anna away, Ben has answered": in_rounds(go(ANNA), submit(BEN)),
    "rounds, the first, both away": in_rounds(go(ANNA), go(BEN)),
    "rounds, the first, Anna done": in_rounds(complete(ANNA)),
    "between rounds": between_rounds(),
    "between rounds, Ben done": between_rounds(complete(BEN)),
    "between rounds, both away": between_rounds(go(ANNA), go(BEN)),
    "rounds, the last": in_last_round(),
    "rounds, the last, Ben has answered": in_last_round(submit(BEN)),
    "rounds, the last, both away": in_last_round(go(ANNA), go(BEN)),
    "completed after the last round": in_last_round(submit(BEN), submit(ANNA)),
    "completed by both": completed(),
    "completed at the deadline": timed_out(),
    "completed as Ben left": forfeited(BEN),
    "completed as Ben was away": forsaken(),
    "abandoned as both were away": forsaken_by_both(),
    "abandoned as Anna withdrew it": withdrawn(),
    "abandoned as Ben left": abandoned(),
    "expired as nobody joined": never_joined(),
    "expired as nobody started": never_started(),
}
"""Every state that a match can be in, by a name."""
