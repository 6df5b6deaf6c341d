"""Every cell of state × command, written down by hand from the contract, and the order of checks."""

from typing import get_args

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.commands import CREATIONS, Command, StartMatch, Tick
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE, MOVES, Match, Status
from pairquiz_server.rules.player import Player
from tests.rules.matches import (
    ANNA,
    BEN,
    CLEO,
    CREATED_AT,
    DEADLINE_AT,
    FIRST,
    MARGIN_MS,
    READY_UNTIL,
    SITUATIONS,
    STARTED_AT,
    WAITING_UNTIL,
    abandoned,
    come_back,
    complete,
    completed,
    create,
    end,
    end_overdue,
    forfeited,
    forsaken,
    forsaken_by_both,
    go,
    in_progress,
    join,
    leave,
    pair,
    paired,
    play,
    ready,
    start,
    start_by_itself,
    submit,
    tick,
    timed_out,
    waiting,
    withdrawn,
)

DUPLICATE = "duplicate"
UNCHANGED = "unchanged"
NOT_FOUND, FULL, WRONG, TOO_LATE = Code.NOT_FOUND, Code.SESSION_FULL, Code.WRONG_STATE, Code.TOO_LATE
WAITING, READY, RUNNING, COMPLETED = Status.WAITING, Status.READY, Status.IN_PROGRESS, Status.COMPLETED
ABANDONED, EXPIRED = Status.ABANDONED, Status.EXPIRED

COMMANDS: dict[str, Command] = {
    "Cleo joins": join(CLEO),
    "Anna starts": start(ANNA),
    "Anna answers": submit(ANNA),
    "Anna completes": complete(ANNA),
    "Anna leaves": leave(ANNA),
    "Anna is gone": go(ANNA),
    "Anna is back": come_back(ANNA),
    "the sweeper ends": end_overdue(),
    "it starts by itself": start_by_itself(),
    "it is time": tick(),
    "the operator ends": end(),
}
# The columns are those of COMMANDS. A status: the command is a change that leads there. A code: it is refused.
CELLS: dict[str, tuple[Status | Code | str, ...]] = {
    "waiting": (READY, WRONG, WRONG, WRONG, ABANDONED, WAITING, UNCHANGED, EXPIRED, WRONG, UNCHANGED, ABANDONED),
    "waiting, Anna away": (
        READY, WRONG, WRONG, WRONG, ABANDONED, UNCHANGED, WAITING, EXPIRED, WRONG, UNCHANGED, ABANDONED,
    ),
    "ready": (FULL, RUNNING, WRONG, WRONG, ABANDONED, READY, UNCHANGED, EXPIRED, UNCHANGED, UNCHANGED, ABANDONED),
    "ready, Anna away": (
        FULL, RUNNING, WRONG, WRONG, ABANDONED, UNCHANGED, READY, EXPIRED, UNCHANGED, UNCHANGED, ABANDONED,
    ),
    "paired": (FULL, RUNNING, WRONG, WRONG, ABANDONED, READY, UNCHANGED, EXPIRED, RUNNING, UNCHANGED, ABANDONED),
    "paired, Anna away": (
        FULL, RUNNING, WRONG, WRONG, ABANDONED, UNCHANGED, READY, EXPIRED, RUNNING, UNCHANGED, ABANDONED,
    ),
    "in progress": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    # A command of hers is as good as a connection, though only the connection brings her back.
    "in progress, Anna away": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "in progress, Anna away at her last question": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "in progress, Ben done, Anna away at her last question": (
        FULL, DUPLICATE, COMPLETED, COMPLETED, COMPLETED, UNCHANGED, RUNNING, COMPLETED, DUPLICATE, UNCHANGED,
        ABANDONED,
    ),
    "in progress, both away": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, ABANDONED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "in progress, Anna at her last question": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "in progress, Ben done, Anna at her last question": (
        FULL, DUPLICATE, COMPLETED, COMPLETED, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED,
        ABANDONED,
    ),
    "in progress, Anna done": (
        FULL, DUPLICATE, WRONG, DUPLICATE, UNCHANGED, UNCHANGED, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "in progress against a ghost": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, RUNNING, ABANDONED,
    ),
    "in progress against a ghost at its last question, Anna done": (
        FULL, DUPLICATE, WRONG, DUPLICATE, UNCHANGED, UNCHANGED, UNCHANGED, COMPLETED, DUPLICATE, COMPLETED, ABANDONED,
    ),
    # Where the time of a round is over, the match goes on.
    "rounds, the first": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, Ben has answered": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, Ben done": (
        FULL, DUPLICATE, RUNNING, COMPLETED, COMPLETED, RUNNING, UNCHANGED, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, Anna away": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, Anna away, Ben has answered": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, both away": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the first, Anna done": (
        FULL, DUPLICATE, WRONG, DUPLICATE, UNCHANGED, UNCHANGED, UNCHANGED, RUNNING, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "between rounds": (
        FULL, DUPLICATE, DUPLICATE, RUNNING, COMPLETED, RUNNING, UNCHANGED, UNCHANGED, DUPLICATE, RUNNING, ABANDONED,
    ),
    "between rounds, Ben done": (
        FULL, DUPLICATE, DUPLICATE, COMPLETED, COMPLETED, RUNNING, UNCHANGED, UNCHANGED, DUPLICATE, RUNNING, ABANDONED,
    ),
    "between rounds, both away": (
        FULL, DUPLICATE, DUPLICATE, RUNNING, COMPLETED, UNCHANGED, RUNNING, ABANDONED, DUPLICATE, RUNNING, ABANDONED,
    ),
    "rounds, the last": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "rounds, the last, Ben has answered": (
        FULL, DUPLICATE, COMPLETED, COMPLETED, COMPLETED, RUNNING, UNCHANGED, COMPLETED, DUPLICATE, UNCHANGED,
        ABANDONED,
    ),
    "rounds, the last, both away": (
        FULL, DUPLICATE, RUNNING, RUNNING, COMPLETED, UNCHANGED, RUNNING, COMPLETED, DUPLICATE, UNCHANGED, ABANDONED,
    ),
    "completed after the last round": (
        FULL, DUPLICATE, DUPLICATE, DUPLICATE, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "completed by both": (
        FULL, DUPLICATE, WRONG, DUPLICATE, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "completed at the deadline": (
        FULL, DUPLICATE, TOO_LATE, DUPLICATE, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "completed as Ben left": (
        FULL, DUPLICATE, WRONG, DUPLICATE, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "completed as Ben was away": (
        FULL, DUPLICATE, WRONG, DUPLICATE, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "abandoned as both were away": (
        NOT_FOUND, DUPLICATE, WRONG, WRONG, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, DUPLICATE, UNCHANGED, WRONG,
    ),
    "abandoned as Anna withdrew it": (
        NOT_FOUND, WRONG, WRONG, WRONG, DUPLICATE, UNCHANGED, UNCHANGED, UNCHANGED, WRONG, UNCHANGED, WRONG,
    ),
    "abandoned as Ben left": (
        NOT_FOUND, WRONG, WRONG, WRONG, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, WRONG, UNCHANGED, WRONG,
    ),
    "expired as nobody joined": (
        NOT_FOUND, WRONG, WRONG, WRONG, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, WRONG, UNCHANGED, WRONG,
    ),
    "expired as nobody started": (
        NOT_FOUND, WRONG, WRONG, WRONG, WRONG, UNCHANGED, UNCHANGED, UNCHANGED, WRONG, UNCHANGED, WRONG,
    ),
}  # fmt: skip


def moment(match: Match, command: Command) -> int:
    """A time at which nothing but the state speaks against a command: in time, or due for the sweeper."""
    if command == end_overdue():
        return match.due_at + MARGIN_MS
    if isinstance(command, StartMatch) and command.player_id is None:
        return match.tick_at or match.due_at
    if isinstance(command, Tick) and match.tick_at is not None:
        return match.tick_at
    asked_at = match.reveals[-1] if match.reveals else match.started_at
    return asked_at + 2_000 if asked_at else CREATED_AT + 6_000


def outcome(match: Match | None, command: Command, now: int) -> Status | Code | str:
    """What a command makes of a match, as the table says it."""
    try:
        decision = decide(match, command, now)
    except Refused as refusal:
        return refusal.code
    if decision.events:
        assert not decision.duplicate
        return decision.match.status
    assert decision.match is match
    return DUPLICATE if decision.duplicate else UNCHANGED


def test_table_has_every_situation_state_and_command() -> None:
    assert CELLS.keys() == SITUATIONS.keys()
    assert {match.status for match in SITUATIONS.values()} == set(Status)
    assert {type(command) for command in COMMANDS.values()} | set(CREATIONS) == set(get_args(Command))
    assert all(len(row) == len(COMMANDS) for row in CELLS.values())


@pytest.mark.parametrize("situation", CELLS)
@pytest.mark.parametrize("column", range(len(COMMANDS)), ids=list(COMMANDS))
def test_command_on_match(situation: str, column: int) -> None:
    match, command = SITUATIONS[situation], list(COMMANDS.values())[column]
    assert outcome(match, command, moment(match, command)) == CELLS[situation][column]


def test_player_creates_a_match_where_there_is_none() -> None:
    assert outcome(None, create(), CREATED_AT) is Status.WAITING
    assert outcome(None, pair(), CREATED_AT) is Status.READY


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_command_on_no_match_is_not_found(command: Command) -> None:
    assert outcome(None, command, CREATED_AT) is Code.NOT_FOUND


def test_moves_are_exactly_what_decide_does() -> None:
    reached: dict[Status, dict[type[Command], set[Status]]] = {status: {} for status in Status}
    for match in SITUATIONS.values():
        for player in (ANNA, BEN, CLEO):
            for command in (
                join(player),
                start(player),
                submit(player),
                complete(player),
                leave(player),
                go(player),
                come_back(player),
                end_overdue(),
                start_by_itself(),
                start_by_itself(draw=()),
                tick(),
                end(),
                end(winner=0),
            ):
                after = outcome(match, command, moment(match, command))
                if isinstance(after, Status):
                    reached[match.status].setdefault(type(command), set()).add(after)
    assert reached == MOVES
    assert {status for status, moves in reached.items() if moves} == LIVE


@pytest.mark.parametrize("match", SITUATIONS.values(), ids=list(SITUATIONS))
@pytest.mark.parametrize(
    "command",
    [start(CLEO), submit(CLEO), complete(CLEO), leave(CLEO), go(CLEO), come_back(CLEO)],
    ids=["start", "answer", "complete", "leave", "gone", "back"],
)
def test_stranger_is_refused_before_all_else(match: Match, command: Command) -> None:
    assert outcome(match, command, match.due_at + 1) is Code.NOT_A_PLAYER


@pytest.mark.parametrize("match", SITUATIONS.values(), ids=list(SITUATIONS))
def test_creator_cannot_join_own_match_in_any_state(match: Match) -> None:
    assert outcome(match, join(ANNA), match.due_at + 1) is Code.OWN_MATCH


@pytest.mark.parametrize("situation", [name for name, match in SITUATIONS.items() if match.seat_of(BEN.id) == 1])
def test_opponent_repeats_join_in_any_later_state(situation: str) -> None:
    match = SITUATIONS[situation]
    assert outcome(match, join(BEN), match.due_at + 1) == DUPLICATE


ANSWERED = {
    "running": in_progress(submit(ANNA)),
    "running, and the answerer is done": in_progress(submit(ANNA), complete(ANNA)),
    "over": in_progress(submit(ANNA), complete(ANNA), complete(BEN)),
    "over at the deadline": timed_out(submit(ANNA)),
    "over as the answerer left": forfeited(ANNA, submit(ANNA)),
    "over as the other left": forfeited(BEN, submit(ANNA)),
}


@pytest.mark.parametrize("match", ANSWERED.values(), ids=list(ANSWERED))
class TestRepeats:
    """The effect already stands, so the repeat is a duplicate: whatever the state, and long after the deadline."""

    LATE = DEADLINE_AT + 3_600_000

    @pytest.mark.parametrize("answer", [FIRST.correct, FIRST.options[FIRST.correct]], ids=["index", "text"])
    def test_player_repeats_an_answer(self, match: Match, answer: int | str) -> None:
        assert outcome(match, submit(ANNA, FIRST, answer), self.LATE) == DUPLICATE

    @pytest.mark.parametrize("answer", [0, FIRST.options[0]], ids=["index", "text"])
    def test_player_changes_an_answer(self, match: Match, answer: int | str) -> None:
        assert outcome(match, submit(ANNA, FIRST, answer), self.LATE) is Code.ALREADY_ANSWERED

    @pytest.mark.parametrize("player", [ANNA, BEN], ids=["starter", "opponent"])
    def test_either_player_starts_again(self, match: Match, player: Player) -> None:
        assert outcome(match, start(player, draw=()), self.LATE) == DUPLICATE


@pytest.mark.parametrize("player", [ANNA, BEN], ids=["creator", "opponent"])
def test_player_completes_again(player: Player) -> None:
    other = BEN if player is ANNA else ANNA
    done = in_progress(complete(player))
    assert outcome(done, complete(player), DEADLINE_AT + 1) == DUPLICATE
    assert outcome(play(done, STARTED_AT, complete(other)), complete(player), DEADLINE_AT + 1) == DUPLICATE


def test_player_who_answered_everything_repeats_completion() -> None:
    everything = in_progress(*(submit(ANNA, question) for question in in_progress().questions))
    assert outcome(everything, complete(ANNA), STARTED_AT + 2_000) == DUPLICATE


@pytest.mark.parametrize(
    ("match", "player"),
    [(withdrawn(), ANNA), (abandoned(), BEN), (forfeited(ANNA), ANNA), (forfeited(BEN), BEN)],
    ids=["waiting", "ready", "running, creator", "running, opponent"],
)
def test_player_leaves_again(match: Match, player: Player) -> None:
    assert outcome(match, leave(player), DEADLINE_AT + 3_600_000) == DUPLICATE


@pytest.mark.parametrize(
    ("match", "command", "now", "code"),
    [
        # The state before the deadline.
        (waiting(), submit(ANNA), WAITING_UNTIL + 1, WRONG),
        (ready(), submit(ANNA), READY_UNTIL + 1, WRONG),
        (in_progress(complete(ANNA)), submit(ANNA), DEADLINE_AT + 1, WRONG),
        (completed(), submit(ANNA), DEADLINE_AT + 1, WRONG),
        (forfeited(BEN), submit(ANNA), DEADLINE_AT + 1, WRONG),
        (forsaken(), submit(ANNA), DEADLINE_AT + 1, WRONG),
        (forsaken_by_both(), submit(ANNA), DEADLINE_AT + 1, WRONG),
        (abandoned(), start(ANNA), READY_UNTIL + 1, WRONG),
        # The deadline before what it is about: too late is too late, whatever the answer.
        (timed_out(), submit(ANNA, replace(FIRST, id=99)), STARTED_AT, TOO_LATE),
        (timed_out(), submit(ANNA, FIRST, "no such option"), STARTED_AT, TOO_LATE),
        # A full match is full also when it is overdue.
        (ready(), join(CLEO), READY_UNTIL + 1, FULL),
        # An overdue match cannot be started, whatever was drawn.
        (ready(), start(ANNA, draw=()), READY_UNTIL + 1, WRONG),
    ],
)
def test_checks_come_in_order(match: Match, command: Command, now: int, code: Code) -> None:
    assert outcome(match, command, now) is code


def test_paired_match_starts_by_itself_at_its_time_and_not_before() -> None:
    match = paired()
    assert match.tick_at is not None
    assert outcome(match, start_by_itself(), match.tick_at - 1) == UNCHANGED
    started = play(match, match.tick_at, start_by_itself())
    assert (started.status, started.tick_at, started.started_at) == (RUNNING, None, match.tick_at)


def test_paired_match_whose_topic_has_shrunk_expires_at_its_start() -> None:
    match = paired()
    assert match.tick_at is not None
    assert outcome(match, start_by_itself(draw=()), match.tick_at) is EXPIRED


def test_player_starts_a_paired_match_sooner() -> None:
    started = play(paired(), STARTED_AT, start(BEN))
    assert (started.status, started.tick_at) == (RUNNING, None)


def test_pair_of_a_topic_with_too_few_questions_is_refused() -> None:
    assert outcome(None, pair(question_count=3), CREATED_AT) is Code.NOT_ENOUGH_QUESTIONS
