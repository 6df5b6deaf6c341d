"""What players come back to, as JSON: the news of a rating, records, past matches, and lists of the best."""

from collections.abc import Sequence

from msgspec import Struct

from pairquiz_server.engine.leaderboards import Entry, Leaderboard
from pairquiz_server.engine.memory import Duel, Form, Page, Person, Record
from pairquiz_server.engine.rater import Rated
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.rating import Rating
from pairquiz_server.store.results import PastMatch


class RatingNews(Struct, frozen=True):
    """A rating in whole points, what the match has changed of it, and whether it is still a guess."""

    rating: int
    change: int
    provisional: bool


class RatingChanged(Struct, frozen=True, omit_defaults=True):
    """`rating_changed`: what a match has meant for its player, in its topic and over all.

    `weight` is 1 for a match against a person, and less against a recorded run.
    """

    session_id: str
    topic: str
    rating: int
    change: int
    provisional: bool
    weight: float
    overall: RatingNews
    ghost: bool = False


class TopicRecord(Struct, frozen=True):
    """How a player has done in a topic: the rating, from so many `rated` matches, and all `matches` by outcome."""

    topic: str
    rating: int
    provisional: bool
    rated: int
    matches: int
    won: int
    lost: int
    draw: int


class PublicProfile(Struct, frozen=True):
    """What everybody may know of a player."""

    display_name: str
    rating: int
    provisional: bool
    rated: int
    matches: int
    won: int
    lost: int
    draw: int
    topics: list[TopicRecord]


class PastOpponent(Struct, frozen=True):
    """Who one has played against: a `player`, or a recorded run of one (`ghost`)."""

    display_name: str
    kind: str


class PastRating(Struct, frozen=True):
    """What a past match has changed of the rating in its topic."""

    rating: int
    change: int
    provisional: bool
    weight: float


class PastSession(Struct, frozen=True):
    """A finished match in one's history; `rating` is null where it did not count."""

    session_id: str
    topic: str
    pace: str
    scoring: str
    origin: str
    question_count: int
    ended_at: int
    outcome: str
    reason: str
    your_score: int
    opponent_score: int
    opponent: PastOpponent
    rating: PastRating | None


class History(Struct, frozen=True):
    """A page of finished matches, the latest first; `next_cursor` is null on the last one."""

    matches: list[PastSession]
    next_cursor: str | None


class RatedOpponent(Struct, frozen=True):
    """Whom one has played against, and how strong they are now."""

    display_name: str
    rating: int
    provisional: bool


class HeadToHead(Struct, frozen=True):
    """How one stands against the opponent of a session, in all matches that both have finished."""

    session_id: str
    opponent: RatedOpponent
    matches: int
    won: int
    lost: int
    draw: int


class Ranked(Struct, frozen=True, omit_defaults=True):
    """A place: by `rating`, or by the `points` of the week."""

    rank: int
    display_name: str
    matches: int
    rating: int | None = None
    points: int | None = None
    you: bool = False


class YourRank(Struct, frozen=True, omit_defaults=True):
    """Where one stands; while not `listed`, the rank of such a rating."""

    rank: int
    matches: int
    listed: bool
    around: list[Ranked]
    rating: int | None = None
    points: int | None = None


class RankList(Struct, frozen=True):
    """A list of the best; `topic` is null for all topics, and the times are those of the week."""

    topic: str | None
    period: str
    begins_at: int | None
    ends_at: int | None
    players: int
    entries: list[Ranked]
    you: YourRank | None


def rating_changed(rated: Rated) -> RatingChanged:
    """As the player hears it."""
    topic, overall = _news(rated.before, rated.after), _news(rated.overall_before, rated.overall_after)
    return RatingChanged(
        rated.match_id, rated.topic, topic.rating, topic.change, topic.provisional, rated.weight, overall, rated.ghost
    )


def public_profile(person: Person) -> PublicProfile:
    """As everybody sees it."""
    over_all = topic_record("", person.record.overall)
    return PublicProfile(
        display_name=person.display_name,
        rating=over_all.rating,
        provisional=over_all.provisional,
        rated=over_all.rated,
        matches=over_all.matches,
        won=over_all.won,
        lost=over_all.lost,
        draw=over_all.draw,
        topics=topic_records(person.record),
    )


def topic_record(name: str, form: Form) -> TopicRecord:
    """A line of a profile."""
    tally = form.tally
    return TopicRecord(
        topic=name,
        rating=form.rating.shown,
        provisional=form.rating.provisional,
        rated=form.rated,
        matches=tally.won + tally.lost + tally.draw,
        won=tally.won,
        lost=tally.lost,
        draw=tally.draw,
    )


def topic_records(record: Record) -> list[TopicRecord]:
    """All topics of a profile."""
    return [topic_record(name, form) for name, form in record.topics]


def history(page: Page, next_cursor: str | None) -> History:
    """As the player sees it."""
    return History([_past(match) for match in page.matches], next_cursor)


def head_to_head(duel: Duel) -> HeadToHead:
    """As one of the two sees it."""
    rating, tally = duel.opponent.record.overall.rating, duel.tally
    return HeadToHead(
        session_id=duel.session_id,
        opponent=RatedOpponent(duel.opponent.display_name, rating.shown, rating.provisional),
        matches=tally.won + tally.lost + tally.draw,
        won=tally.won,
        lost=tally.lost,
        draw=tally.draw,
    )


def rank_list(board: Leaderboard) -> RankList:
    """As whoever asks sees it."""
    weekly = board.begins_at is not None
    you = board.you
    return RankList(
        topic=board.topic,
        period="week" if weekly else "all",
        begins_at=board.begins_at,
        ends_at=board.ends_at,
        players=board.players,
        entries=_ranked(board.entries, weekly=weekly),
        you=YourRank(
            rank=you.rank,
            matches=you.matches,
            listed=you.listed,
            around=_ranked(you.around, weekly=weekly),
            rating=None if weekly else you.score,
            points=you.score if weekly else None,
        )
        if you
        else None,
    )


def _ranked(entries: Sequence[Entry], *, weekly: bool) -> list[Ranked]:
    return [
        Ranked(
            rank=entry.rank,
            display_name=entry.display_name,
            matches=entry.matches,
            rating=None if weekly else entry.score,
            points=entry.score if weekly else None,
            you=entry.you,
        )
        for entry in entries
    ]


def _news(before: Rating, after: Rating) -> RatingNews:
    return RatingNews(after.shown, after.shown - before.shown, after.provisional)


def _past(match: PastMatch) -> PastSession:
    rating = None
    if match.rating_before is not None and match.rating_after is not None and match.deviation is not None:
        news = _news(Rating(match.rating_before), Rating(match.rating_after, match.deviation))
        rating = PastRating(news.rating, news.change, news.provisional, round(match.weight, 6))
    return PastSession(
        session_id=match.id,
        topic=match.topic,
        pace=match.pace,
        scoring=match.scoring,
        origin=match.origin,
        question_count=match.question_count,
        ended_at=match.ended_at,
        outcome=match.outcome,
        reason=_reason(match),
        your_score=match.your_score,
        opponent_score=match.opponent_score,
        opponent=PastOpponent(match.opponent_name or "", "ghost" if match.ghost else "player"),
        rating=rating,
    )


def _reason(match: PastMatch) -> str:
    """Say why a match ended, as its `quiz_results` has said it."""
    if match.end_reason is EndReason.PLAYER_LEFT:
        return "you_left" if match.you_forfeited else "opponent_left"
    if match.end_reason is EndReason.PLAYER_ABSENT:
        return "you_were_absent" if match.you_forfeited else "opponent_absent"
    return match.end_reason
