"""How two players come together: by a link, by a search, by a challenge, and once more."""

from typing import Annotated, Literal

from msgspec import Struct

from pairquiz_server.protocol.events.players import OpponentPresence, OpponentRated, Series
from pairquiz_server.protocol.fields import (
    ChallengeCode,
    ChallengeUrl,
    Duplicate,
    GhostPlays,
    JoinCode,
    JoinUrl,
    NextSessionId,
    OwnScore,
    PreviousSessionId,
    Seeking,
    SessionId,
    StartsAt,
    Topic,
    Version,
    amount,
    instant,
    said,
    span,
    whole,
)
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace

ReadyToStart = Annotated[Literal["ready_to_start"], said("Both seats are taken.", "ready_to_start")]


class QuizCreated(Struct, frozen=True, omit_defaults=True):
    """A match waits for an opponent."""

    session_id: SessionId
    topic: Topic
    join_url: JoinUrl
    join_code: JoinCode
    status: Annotated[Literal["waiting_for_opponent"], said("Nobody has joined yet.", "waiting_for_opponent")]
    pace: Annotated[Pace, said("How the questions will be asked.", "free")]
    scoring: Annotated[ScoringProfile, said("What answers will be worth.", "speed_bonus")]
    version: Version
    duplicate: Duplicate = False


class OpponentJoined(Struct, frozen=True, omit_defaults=True):
    """Both seats are taken. A match whose players were brought together starts by itself at `starts_at`.

    A rematch has the match that it follows, and how the series stands.
    """

    session_id: SessionId
    status: ReadyToStart
    opponent: Annotated[OpponentPresence, whole("Who one plays against.")]
    version: Version
    duplicate: Duplicate = False
    starts_at: StartsAt | None = None
    previous_session_id: PreviousSessionId | None = None
    series: Annotated[Series | None, whole("How the series stands before this match.")] = None
    ghost: GhostPlays = False


class Searching(Struct, frozen=True, omit_defaults=True):
    """The reply to `find_opponent` and `cancel_find_opponent`."""

    seeking: Seeking
    duplicate: Duplicate = False


class OpponentSearch(Struct, frozen=True):
    """How a search goes, every two seconds."""

    waited_ms: Annotated[int, span("How long the search has lasted.", 4_000)]
    rating_range: Annotated[int, amount("How far from the own rating an opponent may be by now.", 150, "rating points")]
    seeking: Annotated[int, amount("How many look for the same.", 3, "players")]


class OpponentFound(Struct, frozen=True, omit_defaults=True):
    """Two who looked for somebody were brought together; the match starts by itself at `starts_at`."""

    session_id: SessionId
    topic: Topic
    status: ReadyToStart
    opponent: Annotated[OpponentRated, whole("Who one plays against.")]
    starts_at: Annotated[
        int | None, instant("When the match starts by itself; null where it has begun already.", 1_790_000_003_000)
    ]
    version: Version
    ghost: GhostPlays = False


class Blocked(Struct, frozen=True, omit_defaults=True):
    """The reply to `block_player` and `unblock_player`."""

    session_id: SessionId
    blocked: Annotated[bool, said("Whether its opponent is blocked now.", True)]
    duplicate: Duplicate = False


class RematchRequested(Struct, frozen=True):
    """The other asks for a rematch."""

    session_id: SessionId
    version: Version


class RematchReply(Struct, frozen=True, omit_defaults=True):
    """The reply to `request_rematch`, of the match that is over."""

    session_id: SessionId
    waiting: Annotated[bool, said("True until the opponent has asked too.", False)]
    next_session_id: NextSessionId | None = None
    duplicate: Duplicate = False


class RematchState(Struct, frozen=True, omit_defaults=True):
    """Who has asked for a rematch of a match that is over."""

    you: Annotated[bool, said("Whether one has asked oneself.", True)]
    opponent: Annotated[bool, said("Whether the opponent has asked.", False)]
    expires_at: Annotated[int, instant("Until when a rematch may be asked for.", 1_790_000_600_000)]
    session_id: NextSessionId | None = None


class ChallengeCreated(Struct, frozen=True, omit_defaults=True):
    """The link to one's own run, and what it has scored."""

    challenge_code: ChallengeCode
    challenge_url: ChallengeUrl
    session_id: SessionId
    topic: Topic
    score: OwnScore
    expires_at: Annotated[
        int | None, instant("When the challenge ends; absent where it holds for ever.", 1_792_592_000_000)
    ] = None
    duplicate: Duplicate = False
