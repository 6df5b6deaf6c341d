"""What an operator's commands say of matches, in lines. What players have written is made harmless first."""

import datetime
from collections.abc import Iterator

from pairquiz_server.protocol.admin import MatchChange, ShownAnswer, ShownMatch, ShownPlayer, ShownQuestion
from pairquiz_server.terminal.words import points, shown


def moment(at: int) -> str:
    """Return a time (milliseconds since the epoch) to the second, in UTC."""
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(milliseconds: int) -> str:
    """Return a span in its two largest units: 2d 3h, 12m 5s."""
    seconds = max(-(-milliseconds // 1000), 0)
    sizes = {"d": seconds // 86400, "h": seconds // 3600 % 24, "m": seconds // 60 % 60, "s": seconds % 60}
    told = [f"{count}{unit}" for unit, count in sizes.items() if count]
    return " ".join(told[:2]) or "0s"


def match_lines(match: ShownMatch) -> Iterator[str]:
    """Tell a whole match."""
    yield f"match      {match.session_id}, version {match.version}"
    yield f"state      {match.status}" + (f": {match.end_reason}" if match.end_reason else "")
    terms = (
        f"{match.question_count} questions, {match.time_limit} s each, {match.pace}, {match.scoring}, {match.origin}"
    )
    yield f"topic      {shown(match.topic)}: {terms}"
    times = [
        ("created", match.created_at),
        ("joined", match.joined_at),
        ("started", match.started_at),
        ("deadline", match.deadline_at),
        ("paused", match.paused_at),
        ("resumed", match.resumed_at),
        ("ended", match.ended_at),
    ]
    yield "times      " + ", ".join(f"{name} {moment(at)}" for name, at in times if at is not None) + " (UTC)"
    links = [("follows", match.previous_session_id), ("replays", match.recorded_session_id)]
    for name, session_id in links:
        if session_id is not None:
            yield f"{name:<10} {session_id}"
    for player in match.players:
        yield _player(player, gave_up=match.forfeited_by == player.player)
    for place, question in enumerate(match.questions, start=1):
        yield from _question(place, question, match.started_at)


def change_line(change: MatchChange) -> str:
    """Tell what has changed in a match."""
    at = "" if change.at is None else moment(change.at)[11:] + f".{change.at % 1000:03}"
    told = {
        "state": f"is {change.status}",
        "joined": "player 2 has joined",
        "started": "has started",
        "round_opened": f"question {change.question} is asked",
        "answered": f"player {change.player} answers question {change.question}: {points(change.points or 0)}",
        "completed": f"player {change.player} is done",
        "away": f"player {change.player} is away: {change.cause}",
        "back": f"player {change.player} is back",
        "ended": f"is over, {change.status}: {change.reason}",
    }
    scores = f"  ({' : '.join(map(str, change.scores))})" if change.scores else ""
    return f"{at:<12}  v{change.version:<4} {told.get(change.what, change.what)}{scores}"


def _player(player: ShownPlayer, *, gave_up: bool) -> str:
    told = [f"{player.score} points", f"{player.answered} answers"]
    if player.outcome != "none":
        told.append(player.outcome)
    if gave_up:
        told.append("has forfeited it")
    if player.completed_at is not None:
        told.append(f"done {moment(player.completed_at)}")
    if player.away_since is not None:
        until = "" if player.reconnect_by is None else f", may come until {moment(player.reconnect_by)}"
        told.append(f"away since {moment(player.away_since)} ({player.away_cause}{until})")
    return f"player {player.player}   {shown(player.display_name)} ({player.kind} {player.id}): {', '.join(told)}"


def _question(place: int, question: ShownQuestion, started_at: int | None) -> Iterator[str]:
    yield f"{place:>2}. {shown(question.text)}"
    for index, option in enumerate(question.options):
        yield f"     {'*' if index == question.correct else ' '} {index + 1} {shown(option)}"
    asked_at = question.revealed_at or started_at
    for answer in question.answers:
        yield f"       {_answer(answer, asked_at)}"


def _answer(answer: ShownAnswer, asked_at: int | None) -> str:
    after = "" if asked_at is None else f" after {(answer.arrived_at - asked_at) / 1000:.3f} s"
    chosen = "answered" if answer.chosen is None else f"chose {answer.chosen + 1}"
    credit = f", {answer.lag_credit_ms} ms credited" if answer.lag_credit_ms else ""
    hasty = ", sooner than a person reads" if answer.too_fast else ""
    return f"player {answer.player} {chosen}{after}: {points(answer.base)} {points(answer.bonus)}{credit}{hasty}"
