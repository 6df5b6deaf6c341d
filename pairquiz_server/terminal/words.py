"""What is said of a duel, in sentences that fit every face of it.

Names, questions and topics come from elsewhere: what a terminal would obey in them is taken out.
"""

import unicodedata

from pairquiz_server.client.duel import Duel
from pairquiz_server.protocol.events import OpponentState, OwnAnswer, QuizResults

_OBEYED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of what is no character to be seen: controls, formats, and the ends of lines and paragraphs."""
_OUTCOMES = {"won": "You have won", "lost": "You have lost", "draw": "A draw", "none": "The end"}
_REASONS = {
    "all_answered": "everything is answered",
    "deadline": "the time is over",
    "opponent_left": "the other has left",
    "you_left": "you have left",
    "opponent_absent": "the other did not come back",
    "you_were_absent": "you were away for too long",
    "operator": "whoever runs this server has ended it",
}
_EXPIRIES = {
    "opponent_left": "The other has left before it began: the match is over.",
    "nobody_joined": "Nobody has come: the match is over.",
    "never_started": "Nobody has started the match: it is over.",
    "both_absent": "Both were away for too long: nobody has won.",
    "operator": "Whoever runs this server has ended the match: nobody has won.",
}


def shown(text: str) -> str:
    """Return a text of somebody else without what a terminal obeys: one line, and no control characters."""
    return "".join(
        " " if unicodedata.category(character) in _OBEYED and character != "\N{ZERO WIDTH JOINER}" else character
        for character in text
    )


def name_of(opponent: OpponentState | None) -> str:
    """Return what the other is called."""
    return "the other" if opponent is None else shown(opponent.display_name)


def clock(seconds: float) -> str:
    """Return a span as a clock shows it: 2:05."""
    whole = int(-(-seconds // 1))
    return f"{whole // 60}:{whole % 60:02}"


def points(count: int) -> str:
    """Return points as they are added up: +142, -34, 0."""
    return f"{count:+}" if count else "0"


def count(number: int, one: str) -> str:
    """Return so many of something."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def terms(duel: Duel) -> str:
    """Say what is played."""
    pace = (
        f"{duel.time_limit} s each, in rounds"
        if duel.in_rounds
        else f"{clock(duel.question_count * duel.time_limit)} in all"
    )
    return f"{shown(duel.topic)}, {count(duel.question_count, 'question')}, {pace}"


def invitation(duel: Duel, url: str) -> str:
    """Say how somebody else comes in."""
    return f"pairquiz-server play {url} --join {duel.join_code}"


def link(duel: Duel, url: str) -> str:
    """Return the link to a match that waits."""
    return f"{url}/pair-quiz/{duel.session_id}"


def judged(answer: OwnAnswer, options: tuple[str, ...]) -> str:
    """Say what an own answer was worth, and what would have been right."""
    receipt = answer.receipt
    credit = f", {receipt.lag_credit_ms} ms credited for your line" if receipt.lag_credit_ms else ""
    right = "" if answer.correct else f" It was {shown(options[answer.correct_option])}."
    return f"{capital(shown(receipt.reason))}{credit}.{right}"


def away(opponent: OpponentState, seconds: float | None) -> str:
    """Say that the other is away."""
    until = "" if seconds is None else f", and has {clock(seconds)} to come back"
    return f"{name_of(opponent)} is away{until}."


def outcome(results: QuizResults) -> str:
    """Say who has won, and why it is over."""
    won = _OUTCOMES.get(results.outcome, "The end")
    reason = _REASONS.get("operator" if results.by_operator else results.reason, results.reason)
    return f"{won}, {results.your_score} : {results.opponent_score} ({reason})."


def expiry(duel: Duel) -> str:
    """Say how a match ended that nobody has won."""
    return _EXPIRIES.get(duel.expired or "", "The match is over.")


def capital(text: str) -> str:
    """Return a sentence's beginning."""
    return text[:1].upper() + text[1:]
