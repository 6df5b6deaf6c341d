"""What players come back to: their ratings, records and past matches, and lists of the best, as they see them."""

from collections.abc import Sequence

from pairquiz_server.engine import people
from pairquiz_server.engine.leaderboards import Entry, Leaderboard
from pairquiz_server.engine.memory import Duel, Form, Page, Person, Record
from pairquiz_server.engine.rater import Rated
from pairquiz_server.protocol.events import (
    HeadToHead,
    History,
    OpponentBrief,
    PastRating,
    PastSession,
    Profile,
    PublicProfile,
    Ranked,
    RankList,
    RatedOpponent,
    RatingChanged,
    RatingNews,
    TopicRecord,
    YourRank,
)
from pairquiz_server.protocol.words import AccountKind, OpponentKind, Period, ended_by
from pairquiz_server.rules.rating import Rating
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.results import PastMatch


def rating_changed(rated: Rated) -> RatingChanged:
    """As the player hears it."""
    topic, overall = _news(rated.before, rated.after), _news(rated.overall_before, rated.overall_after)
    return RatingChanged(
        topic.rating,
        topic.change,
        topic.provisional,
        session_id=rated.match_id,
        topic=rated.topic,
        weight=rated.weight,
        overall=overall,
        ghost=rated.ghost,
    )


def profile(own: people.Profile, record: Record) -> Profile:
    """As the player itself sees it."""
    over_all = topic_record("", record.overall)
    return Profile(
        user_id=own.user_id,
        kind=AccountKind(own.kind),
        display_name=own.display_name,
        known_since=own.known_since,
        record_runs=own.record_runs,
        rating=over_all.rating,
        provisional=over_all.provisional,
        rated=over_all.rated,
        matches=over_all.matches,
        won=over_all.won,
        lost=over_all.lost,
        draw=over_all.draw,
        topics=topic_records(record),
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
        period=Period.WEEK if weekly else Period.ALL,
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
        rating = PastRating(news.rating, news.change, news.provisional, weight=round(match.weight, 6))
    return PastSession(
        session_id=match.id,
        topic=match.topic,
        pace=Pace(match.pace),
        scoring=ScoringProfile(match.scoring),
        origin=Origin(match.origin),
        question_count=match.question_count,
        ended_at=match.ended_at,
        outcome=match.outcome,
        reason=ended_by(match.end_reason, forfeited=match.you_forfeited),
        your_score=match.your_score,
        opponent_score=match.opponent_score,
        opponent=OpponentBrief(match.opponent_name or "", OpponentKind.GHOST if match.ghost else OpponentKind.PLAYER),
        rating=rating,
    )
