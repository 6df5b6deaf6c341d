"""What an import makes of each question: held against those that the bank has."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.question import Question, text_digest, topic_key


class Fate(StrEnum):
    """What becomes of a question at an import."""

    ADDED = "added"
    EDITED = "edited"
    """It has the key of a stored one, which is drawn no more."""
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    """Another question of the topic has this text, and differs in something else: not taken."""


class Verdict(Struct, frozen=True):
    """The fate of one question; `standing_id` is the stored question that it met."""

    fate: Fate
    standing_id: int | None = None


class Standing(Struct, frozen=True):
    """A question that the bank has and draws from."""

    id: int
    question: Question


class Judgement(Struct, frozen=True):
    """Each question's verdict in their order, the questions to add, and the ids to retire."""

    verdicts: tuple[Verdict, ...]
    additions: tuple[Question, ...]
    retired: tuple[int, ...]


def judge(questions: Sequence[Question], standing: Iterable[Standing]) -> Judgement:
    """Judge questions against those of the bank that they could meet: same topic and text, or same key.

    Among themselves no two may be alike or have the same key, which the formats see to. They are judged in their
    order: a text is free for another question only after the edit that gives it up.
    """
    by_text = {_identity(one.question): one for one in standing}
    by_key = {one.question.key: one for one in by_text.values() if one.question.key}
    verdicts: list[Verdict] = []
    additions: list[Question] = []
    retired: list[int] = []
    for question in questions:
        alike = by_text.get(_identity(question))
        edited = by_key.pop(question.key, None) if question.key else None
        if alike is not None and _content(alike.question) == _content(question):
            verdicts.append(Verdict(Fate.UNCHANGED, alike.id))
        elif alike is not None and alike is not edited:
            verdicts.append(Verdict(Fate.DUPLICATE, alike.id))
        elif edited is not None:
            verdicts.append(Verdict(Fate.EDITED, edited.id))
            retired.append(edited.id)
            by_text.pop(_identity(edited.question))
            additions.append(question)
        else:
            verdicts.append(Verdict(Fate.ADDED))
            additions.append(question)
    return Judgement(tuple(verdicts), tuple(additions), tuple(retired))


def _identity(question: Question) -> tuple[str, bytes]:
    return topic_key(question.topic), text_digest(question.text)


def _content(question: Question) -> Question:
    """Everything that an edit may change: all but the key, and how the topic is spelled."""
    return replace(question, key=None, topic=topic_key(question.topic))
