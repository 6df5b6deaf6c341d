"""Another match between the same two: who may ask for it, what it is like, and how the series stands."""

from msgspec import Struct

from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.terms import Origin


class Standing(Struct, frozen=True):
    """What is known of a match's rematch: when each seat has asked (milliseconds), and the match that followed.

    `blocks` tells of each seat whether its player has blocked the other one.
    """

    asked: tuple[int | None, int | None] = (None, None)
    next_id: str | None = None
    blocks: tuple[bool, bool] = (False, False)


class Prospect(Struct, frozen=True):
    """What players may know of their rematch: which seats have asked, until when they may, and the match, once made."""

    asked: tuple[bool, bool]
    expires_at: int
    next_id: str | None


def closes_at(match: Match, hold_ms: int) -> int | None:
    """Return the last millisecond in which a rematch may be asked for; None where it never may."""
    if match.status is not Status.COMPLETED or match.ghost is not None or match.ended_at is None:
        return None
    return match.ended_at + hold_ms


def require_askable(match: Match, seat: int, standing: Standing, now: int, hold_ms: int) -> None:
    """Let the player of a seat ask for a rematch at `now`.

    Raises `Refused`: the match's state comes first, then the time, then the other player. Who is blocked is not told
    so: the refusal is that of an opponent who is there no more.
    """
    if match.status is not Status.COMPLETED:
        state = f"A rematch follows a session that is completed, and this one is {match.status.replace('_', ' ')}"
        raise Refused(Code.WRONG_STATE, state)
    if match.ghost is not None:
        ghost = "A recorded run takes no rematch: look for an opponent, or follow the link of the run again"
        raise Refused(Code.WRONG_STATE, ghost)
    last = closes_at(match, hold_ms)
    if last is None or now > last:
        raise Refused(Code.TOO_LATE, "The time for a rematch is over: look for an opponent, or create another session")
    if standing.blocks[seat]:
        raise Refused(Code.OPPONENT_UNAVAILABLE, "You have blocked this player: unblock_player comes first")
    if standing.blocks[1 - seat] or match.seats[1 - seat].player.kind is PlayerKind.ERASED:
        raise Refused(Code.OPPONENT_UNAVAILABLE)


def prospect(match: Match, standing: Standing, hold_ms: int) -> Prospect | None:
    """Return what players may know of the rematch of a match; None where it never has one."""
    last = closes_at(match, hold_ms)
    if last is None:
        return None
    made = standing.next_id is not None
    first, second = (made or asked is not None for asked in standing.asked)
    return Prospect((first, second), last, standing.next_id)


def follow(match: Match, match_id: str, topic: Topic, *, start_delay_ms: int, ready_ttl_ms: int) -> PairPlayers:
    """Return the command that makes the rematch of a match: all is as it was, the seats too, and the series goes on.

    The seats stay because nothing depends on them: both get the same questions at the same moment.
    """
    return PairPlayers(
        match_id=match_id,
        players=(match.seats[0].player, match.seats[1].player),
        origin=Origin.REMATCH,
        topic=topic,
        question_count=match.question_count,
        time_limit_s=match.time_limit_s,
        scoring=match.scoring,
        pace=match.pace,
        start_delay_ms=start_delay_ms,
        ready_ttl_ms=ready_ttl_ms,
        previous_id=match.id,
        wins=wins_after(match),
    )


def wins_after(match: Match) -> tuple[int, int]:
    """Return what each seat has won of the series, this match included where it is over. A draw counts for neither."""
    first, second = match.wins
    outcome = match.outcome(0)
    return first + (outcome is Outcome.WON), second + (outcome is Outcome.LOST)
