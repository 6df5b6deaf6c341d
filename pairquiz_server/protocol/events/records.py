"""What players come back to: ratings, records, past matches, and lists of the best."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.events.players import OpponentBrief
from pairquiz_server.protocol.fields import (
    Change,
    DisplayName,
    GhostPlays,
    Matches,
    OpponentScore,
    OwnScore,
    Provisional,
    QuestionCount,
    Rating,
    SessionId,
    Topic,
    UserId,
    Weight,
    amount,
    instant,
    said,
    whole,
)
from pairquiz_server.protocol.words import AccountKind, EndedBy, Period
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace


class RatingNews(Struct, frozen=True):
    """A rating, and what the match has changed of it."""

    rating: Rating
    change: Change
    provisional: Provisional


class RatingChanged(RatingNews, frozen=True, kw_only=True, omit_defaults=True):
    """What a match has meant for its player, in its topic and over all. It is no change of the match."""

    session_id: SessionId
    topic: Topic
    weight: Weight
    overall: Annotated[RatingNews, whole("The rating over all topics.")]
    ghost: GhostPlays = False


class Outcomes(Struct, frozen=True):
    """How many matches were finished, and how they went."""

    matches: Matches
    won: Annotated[int, amount("How many were won.", 25, "matches")]
    lost: Annotated[int, amount("How many were lost.", 15, "matches")]
    draw: Annotated[int, amount("How many were a draw.", 2, "matches")]


class Standing(Outcomes, frozen=True):
    """How somebody has played: the rating, what it rests on, and all matches by outcome."""

    rating: Rating
    provisional: Provisional
    rated: Annotated[int, amount("How many matches the rating rests on.", 40, "matches")]


class TopicRecord(Standing, frozen=True, kw_only=True):
    """How a player has done in a topic."""

    topic: Topic


class PublicProfile(Standing, frozen=True, kw_only=True):
    """What everybody may know of a player; the rating is that over all."""

    display_name: DisplayName
    topics: Annotated[list[TopicRecord], whole("The same for each topic.")]


class Profile(PublicProfile, frozen=True, kw_only=True):
    """What a player may know of itself; the rating is that over all."""

    user_id: UserId
    kind: Annotated[AccountKind, said("Whose word there is for who one is.", "guest")]
    known_since: Annotated[int | None, instant("Since when the player is stored; null while nothing is.")]
    record_runs: Annotated[bool, said("Whether one's runs may be replayed as ghosts.", True)]


class PastRating(RatingNews, frozen=True, kw_only=True):
    """What a past match has changed of the rating in its topic."""

    weight: Weight


class PastSession(Struct, frozen=True):
    """A finished match in one's history."""

    session_id: SessionId
    topic: Topic
    pace: Annotated[Pace, said("How the questions were asked.", "free")]
    scoring: Annotated[ScoringProfile, said("What answers were worth.", "speed_bonus")]
    origin: Annotated[Origin, said("How the two came together.", "invitation")]
    question_count: QuestionCount
    ended_at: Annotated[int, instant("When the match was over.", 1_790_000_140_000)]
    outcome: Annotated[Outcome, said("How it went for oneself.", "won")]
    reason: Annotated[EndedBy, said("Why the match was over.", "all_answered")]
    your_score: OwnScore
    opponent_score: OpponentScore
    opponent: Annotated[OpponentBrief, whole("Who one has played against.")]
    rating: Annotated[PastRating | None, whole("What it has changed; null where it did not count.")]


class History(Struct, frozen=True):
    """A page of one's finished matches, the latest first."""

    matches: Annotated[list[PastSession], whole("The matches of this page.")]
    next_cursor: Annotated[
        str | None,
        said(
            "What to send as `cursor` for the next page; null on the last one.",
            "AQAAAaDEJ2QAim4IBCvQRnK3nddgJ_kHGqo4rW1cPp2m7QbT5w",
        ),
    ]


class RatedOpponent(Struct, frozen=True):
    """Whom one has played against, and how strong they are now."""

    display_name: DisplayName
    rating: Rating
    provisional: Provisional


class HeadToHead(Outcomes, frozen=True, kw_only=True):
    """How one stands against the opponent of a session, in all matches that both have finished."""

    session_id: SessionId
    opponent: Annotated[RatedOpponent, whole("Whom one has played against.")]


class Ranked(Struct, frozen=True, omit_defaults=True):
    """A place: by `rating`, or by the `points` of the week."""

    rank: Annotated[int, said("The place, from 1; equals have the same.", 1)]
    display_name: DisplayName
    matches: Matches
    rating: Rating | None = None
    points: Annotated[int | None, amount("The points of the week.", 31, "points of the week")] = None
    you: Annotated[bool, said("True on one's own place; else the key is absent.", True)] = False


class YourRank(Struct, frozen=True, omit_defaults=True):
    """Where one stands oneself."""

    rank: Annotated[int, said("One's place; while not `listed`, that of such a rating.", 12)]
    matches: Matches
    listed: Annotated[bool, said("Whether one has a place in the list.", True)]
    around: Annotated[list[Ranked], whole("The places right above and below.")]
    rating: Rating | None = None
    points: Annotated[int | None, amount("The points of the week.", 31, "points of the week")] = None


class RankList(Struct, frozen=True):
    """A list of the best."""

    topic: Annotated[str | None, said("The topic; null for all of them.", "General")]
    period: Annotated[Period, said("What the list is of.", "all")]
    begins_at: Annotated[int | None, instant("When the week began; null for all time.", 1_789_948_800_000)]
    ends_at: Annotated[int | None, instant("When the week ends; null for all time.", 1_790_553_600_000)]
    players: Annotated[int, amount("How many have a place.", 240, "players")]
    entries: Annotated[list[Ranked], whole("The best.")]
    you: Annotated[YourRank | None, whole("One's own place; null without a token, and without a match that counts.")]
