"""Open Trivia Database: the JSON of its API, or the bare list of its results.

The API encodes texts on request. HTML entities are its default; Base64 shows in the field `type`, percent
encoding in a question that has escapes and not one space.
"""

import base64
import html
import re
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from pairquiz_server.formats.json_document import (
    Document,
    Fields,
    needed_text,
    read_entries,
    text_field,
    text_list,
)
from pairquiz_server.formats.outcome import Parsed, UnreadableFile
from pairquiz_server.formats.sieve import Draft, QuestionError, sift

FORMAT = "OpenTDB"
RESULTS = "results"

_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[0-9A-Za-z]+);")
_PERCENT_ENCODED = re.compile(r"[\w.~+-]*(?:%[0-9A-Fa-f]{2}[\w.~+-]*)+", re.ASCII)
_BASE64_TYPES = {base64.b64encode(name).decode() for name in (b"multiple", b"boolean")}


def parse_opentdb(document: Document, *, topic: str | None) -> Parsed:
    """Return the questions of a response, or of a bare list; `topic` overrides the category of each.

    Raises UnreadableFile where the response holds no list of results.
    """
    member = None
    if isinstance(document.value, dict):
        member = RESULTS
        results, code = document.value.get(RESULTS), document.value.get("response_code", 0)
        if not isinstance(results, list):
            raise UnreadableFile('"results" is not a list: save the whole answer of the OpenTDB API')
        if not results and code != 0:
            raise UnreadableFile(f"OpenTDB answered with code {code!r:.20} and no questions: fetch it again")
    return sift(FORMAT, read_entries(document, member, partial(_draft, topic)))


def _draft(topic: str | None, line: int, fields: Fields) -> Draft:
    plain = _decoder(fields)
    if plain(text_field(fields, "type") or "") == "boolean":
        raise QuestionError("a true-or-false question has two options, four are needed")
    difficulty = text_field(fields, "difficulty")
    options = (needed_text(fields, "correct_answer"), *text_list(fields, "incorrect_answers"))
    return Draft(
        line=line,
        topic=plain(needed_text(fields, "category")) if topic is None else topic,
        text=plain(needed_text(fields, "question")),
        options=[plain(option) for option in options],
        correct=0,
        difficulty=None if difficulty is None else plain(difficulty),
    )


def _decoder(fields: Fields) -> Callable[[str], str]:
    """Return what makes plain text of the texts of one result."""
    if text_field(fields, "type") in _BASE64_TYPES:
        return _plain_of_base64
    question = needed_text(fields, "question")
    if not _PERCENT_ENCODED.fullmatch(question):
        return _plain_of_html
    if "+" in question:
        raise QuestionError("the legacy URL encoding is not read: fetch the questions without an encoding")
    return _plain_of_percent


def _plain_of_html(text: str) -> str:
    # Once, and only what ends in a semicolon: "&amp;lt;" stands for "&lt;", and "AT&T" for itself.
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _plain_of_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise QuestionError("the Base64 encoding is broken") from None


def _plain_of_percent(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise QuestionError("the percent encoding is broken") from None
