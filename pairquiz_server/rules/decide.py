"""What each command makes of a match: the whole game, as pure functions.

A command is decided on a match, at a time that somebody else measured (milliseconds), and gives the match as it is
afterwards; a refusal changes nothing.
"""

from typing import assert_never

from pairquiz_server.rules import answering, ghosts, leaving, opening
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
    PairPlayers,
    StartMatch,
    SubmitAnswer,
    Tick,
)
from pairquiz_server.rules.decision import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match

__all__ = ["Decision", "decide"]


def decide(match: Match | None, command: Command, now: int) -> Decision:
    """Decide a command that arrived at `now` on a match, None where there is none.

    The order of checks is the same for all: player, duplicate, state, deadline.
    Raises `Refused`; then nothing has changed.
    """
    if isinstance(command, CreateMatch):
        return opening.create(command, now)
    if isinstance(command, PairPlayers):
        return opening.pair(command, now)
    if match is None:
        raise Refused(Code.NOT_FOUND)
    if isinstance(command, SubmitAnswer):  # by far the most frequent; a `match` takes twice as long to find it
        return answering.submit(match, command, now)
    match command:
        case JoinMatch():
            return opening.join(match, command, now)
        case StartMatch():
            return opening.start(match, command, now)
        case CompleteQuiz():
            return answering.complete(match, command, now)
        case LeaveMatch():
            return leaving.leave(match, command, now)
        case MarkAbsent():
            return leaving.mark_absent(match, command, now)
        case MarkPresent():
            return leaving.mark_present(match, command, now)
        case Tick():
            return ghosts.tick(match, command, now)
        case EndOverdue():
            return leaving.end_overdue(match, command, now)
        case EndMatch():
            return leaving.end(match, command, now)
        case _:
            assert_never(command)
