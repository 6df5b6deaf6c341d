"""How two players came together, as each of them hears it."""

from pairquiz_server.engine import challenges
from pairquiz_server.protocol.events import (
    ChallengeCreated,
    OpponentBrief,
    OpponentFound,
    OpponentJoined,
    OpponentPresence,
    OpponentRated,
    QuizCreated,
    RematchState,
    Series,
    Session,
)
from pairquiz_server.protocol.words import opponent_kind
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.rematch import Prospect, wins_after


def quiz_created(match: Match, *, duplicate: bool = False) -> QuizCreated:
    """As the creator hears it."""
    return QuizCreated(
        session_id=match.id,
        topic=match.topic,
        join_url=f"/pair-quiz/{match.id}",
        join_code=match.join_code,
        status="waiting_for_opponent",
        pace=match.pace,
        scoring=match.scoring.profile,
        version=match.version,
        duplicate=duplicate,
    )


def opponent_joined(match: Match, seat: int, *, duplicate: bool = False) -> OpponentJoined:
    """As the player of `seat` hears it."""
    other = match.seats[1 - seat]
    return OpponentJoined(
        session_id=match.id,
        status="ready_to_start",
        opponent=OpponentPresence(other.player.display_name, other.absence is None, opponent_kind(other.player)),
        version=match.version,
        duplicate=duplicate,
        starts_at=match.tick_at if match.status is Status.READY else None,
        previous_session_id=match.previous_id,
        series=series(match, seat),
        ghost=match.ghost is not None,
    )


def opponent_found(match: Match, seat: int) -> OpponentFound:
    """As the player of `seat` hears it, who has looked for somebody."""
    other = match.seats[1 - seat].player
    return OpponentFound(
        session_id=match.id,
        topic=match.topic,
        status="ready_to_start",
        opponent=OpponentRated(other.display_name, opponent_rating(match, seat), opponent_kind(other)),
        starts_at=match.tick_at if match.status is Status.READY else None,
        version=match.version,
        ghost=match.ghost is not None,
    )


def session(match: Match, seat: int) -> Session:
    """A line of a list of live matches."""
    other = match.seats[1 - seat].player if len(match.seats) == 2 else None
    return Session(
        session_id=match.id,
        topic=match.topic,
        status=match.status,
        opponent=OpponentBrief(other.display_name, opponent_kind(other)) if other else None,
        ghost=match.ghost is not None,
    )


def challenge(made: challenges.Challenge) -> ChallengeCreated:
    """As the player whose run it is hears it."""
    return ChallengeCreated(
        challenge_code=made.code,
        challenge_url=f"/pair-quiz/challenge/{made.code}",
        session_id=made.match_id,
        topic=made.topic,
        score=made.score,
        expires_at=made.expires_at,
        duplicate=not made.is_new,
    )


def series(match: Match, seat: int) -> Series | None:
    """How a series stands: none is there before a match is over that is no rematch, or against a recorded run."""
    if match.ghost is not None or (match.previous_id is None and match.status is not Status.COMPLETED):
        return None
    wins = wins_after(match)
    return Series(wins[seat], wins[1 - seat])


def rematch_state(prospect: Prospect, seat: int) -> RematchState:
    """What is known of a rematch, as the player of `seat` sees it."""
    return RematchState(
        you=prospect.asked[seat],
        opponent=prospect.asked[1 - seat],
        expires_at=prospect.expires_at,
        session_id=prospect.next_id,
    )


def opponent_rating(match: Match, seat: int) -> int | None:
    """The other's rating, where the two were brought together."""
    return match.ratings[1 - seat] if match.ratings else None
