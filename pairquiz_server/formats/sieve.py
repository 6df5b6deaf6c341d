"""The one sieve that the entries of every format go through."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from pairquiz_server.formats.outcome import Located, Parsed, Refusal
from pairquiz_server.rules.question import (
    OPTION_COUNT,
    Difficulty,
    Question,
    printable,
    question_fault,
    text_digest,
    tidy,
    topic_fault,
    topic_key,
)

EXCERPT_MAX = 80


class QuestionError(ValueError):
    """An entry that is no question; the message is the reason."""


class Draft(Struct, frozen=True, kw_only=True):
    """A question as a file tells it, with nothing about it checked or tidied.

    `correct` is the zero-based index of the right option, or the text that this option must have.
    """

    line: int
    topic: str
    text: str
    options: Sequence[str]
    correct: int | str
    difficulty: str | None = None
    lang: str | None = None
    explanation: str | None = None
    source: str | None = None
    key: str | None = None


def refuse(line: int, reason: str, text: str) -> Refusal:
    """Return a refusal with the text made fit for one line of a report."""
    start = tidy(text[: EXCERPT_MAX * 8])
    readable = "".join(char if printable(char) else "\N{REPLACEMENT CHARACTER}" for char in start)
    excerpt = readable if len(readable) <= EXCERPT_MAX else readable[: EXCERPT_MAX - 1] + "…"
    return Refusal(line, reason, excerpt)


def index_of(answer: str, options: Sequence[str]) -> int | None:
    """Return which option the answer is, no matter its case and white space, or None where it is none."""
    key = topic_key(answer)
    return next((index for index, option in enumerate(options) if topic_key(option) == key), None)


def sift(format_name: str, entries: Iterable[Draft | Refusal]) -> Parsed:
    """Part the entries of a file into valid questions and refusals; of two alike the first one stays."""
    questions: list[Located] = []
    refusals: list[Refusal] = []
    line_of: dict[tuple[str, bytes] | str, int] = {}

    for entry in entries:
        if isinstance(entry, Refusal):
            refusals.append(entry)
            continue
        try:
            question = _question(entry)
            identity = topic_key(question.topic), text_digest(question.text)
            if identity in line_of:
                raise QuestionError(f"the same question as line {line_of[identity]}")
            if question.key is not None and question.key in line_of:
                raise QuestionError(f"the same key as line {line_of[question.key]}")
        except QuestionError as error:
            refusals.append(refuse(entry.line, str(error), entry.text))
            continue
        line_of[identity] = entry.line
        if question.key is not None:
            line_of[question.key] = entry.line
        questions.append(Located(entry.line, question))

    return Parsed(format_name, tuple(questions), tuple(refusals))


def _question(draft: Draft) -> Question:
    topic, text = tidy(draft.topic), tidy(draft.text)
    options = tuple(tidy(option) for option in draft.options)
    lang, explanation, source = (_optional(part) for part in (draft.lang, draft.explanation, draft.source))
    correct = draft.correct if isinstance(draft.correct, int) else index_of(draft.correct, options)

    if correct is None and len(options) == OPTION_COUNT:
        raise QuestionError("the right answer is none of the options")
    fault = topic_fault(topic) or question_fault(
        text=text, options=options, correct=correct, explanation=explanation, lang=lang, source=source
    )
    if fault is not None:
        raise QuestionError(fault)
    assert correct is not None, "question_fault must refuse a question without a right option"
    return Question(
        topic=topic,
        text=text,
        options=options,
        correct=correct,
        difficulty=_difficulty(draft.difficulty),
        lang=lang,
        explanation=explanation,
        source=source,
        key=_key(draft.key),
    )


def _optional(text: str | None) -> str | None:
    return tidy(text or "") or None


def _difficulty(name: str | None) -> Difficulty:
    if not name or not name.strip():
        return Difficulty.MEDIUM
    try:
        return Difficulty(tidy(name).casefold())
    except ValueError:
        raise QuestionError(f"the difficulty is none of {', '.join(Difficulty)}") from None


def _key(key: str | None) -> str | None:
    if not key:
        return None
    try:
        return str(UUID(key))
    except ValueError:
        raise QuestionError("the key is not a UUID") from None
