"""A question as it is stored: one text, four options, one of them right."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

OPTION_COUNT = 4
TEXT_MAX = 1000
OPTION_MAX = 300
TOPIC_MAX = 80
EXPLANATION_MAX = 1000
SOURCE_MAX = 300

_LANG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.ASCII | re.IGNORECASE)


class Difficulty(StrEnum):
    """How hard a question is, in three levels."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Question(Struct, frozen=True, kw_only=True):
    """One question of a topic.

    `correct` is the zero-based index of the right one of the four `options`. `key` names the question over
    all its edits, as text of a UUID; a question that was never exported has none.
    """

    topic: str
    text: str
    options: tuple[str, ...]
    correct: int
    difficulty: Difficulty = Difficulty.MEDIUM
    lang: str | None = None
    explanation: str | None = None
    source: str | None = None
    key: str | None = None


def tidy(text: str) -> str:
    """Return the text in Unicode's composed form (NFC), runs of white space as one space, ends stripped."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def topic_key(name: str) -> str:
    """Return what makes two spellings of a topic the same: NFC, case folded, one space between words."""
    return unicodedata.normalize("NFC", tidy(name).casefold())


def text_digest(text: str) -> bytes:
    """Return 32 bytes, equal for two texts that differ in Unicode form, case and white space alone."""
    return hashlib.sha256(topic_key(text).encode()).digest()


def printable(text: str) -> bool:
    """Tell whether the text is free of control characters, lone surrogates and unassigned ones."""
    # `isprintable` is stricter than we are and much faster: what passes there needs no second look.
    return text.isprintable() or not any(unicodedata.category(char) in ("Cc", "Cs", "Cn") for char in text)


def topic_fault(name: str) -> str | None:
    """Say what is wrong with a topic's name (tidied before), or None where it is good."""
    if not 1 <= len(name) <= TOPIC_MAX:
        return f"a topic has 1 to {TOPIC_MAX} characters"
    if not printable(name):
        return "a topic has no control characters"
    return None


def question_fault(
    *,
    text: str,
    options: Sequence[str],
    correct: int | None,
    explanation: str | None = None,
    lang: str | None = None,
    source: str | None = None,
) -> str | None:
    """Say what is wrong with a question (its texts tidied before), or None where it is good."""
    if not text:
        return "the text is missing"
    if len(text) > TEXT_MAX:
        return f"the text is longer than {TEXT_MAX} characters"
    if len(options) != OPTION_COUNT:
        return f"{len(options)} options where {OPTION_COUNT} are needed"
    if not all(options):
        return "an option is empty"
    if any(len(option) > OPTION_MAX for option in options):
        return f"an option is longer than {OPTION_MAX} characters"
    if len({topic_key(option) for option in options}) != OPTION_COUNT:
        return "two options are the same"
    if correct is None or not 0 <= correct < OPTION_COUNT:
        return "no option is marked as right"
    if explanation is not None and len(explanation) > EXPLANATION_MAX:
        return f"the explanation is longer than {EXPLANATION_MAX} characters"
    if source is not None and len(source) > SOURCE_MAX:
        return f"the source is longer than {SOURCE_MAX} characters"
    if lang is not None and not _LANG.fullmatch(lang):
        return 'the language is not a tag like "en" or "pt-BR"'
    if not all(printable(part) for part in (text, *options, explanation or "", source or "")):
        return "the text has control or unassigned characters"
    return None
