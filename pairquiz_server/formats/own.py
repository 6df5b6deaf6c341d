"""Our own format, read and written: JSON with one topic and language for the file, or one for each question.

    {"format": "pairquiz-questions", "version": 1, "topic": "Rivers", "lang": "en", "questions": [
      {"text": "Which one flows through Vienna?", "options": ["Danube", "Rhine", "Po", "Elbe"], "correct": 0}
    ]}

`correct` is the zero-based index of the right option. `topic` and `lang` of a question override the file's;
`difficulty`, `explanation`, `source` and `key` are optional.
"""

from collections.abc import Iterable
from functools import partial

import msgspec

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
from pairquiz_server.rules.question import Question, topic_key

FORMAT = "pairquiz-questions"
VERSION = 1

_KNOWN = frozenset(Question.__struct_fields__)


def parse_own(document: Document, *, topic: str | None) -> Parsed:
    """Return the questions of a file in our format; `topic` overrides each one that stands in it.

    Raises UnreadableFile where the version is another one or the file's own fields have a wrong type.
    """
    header = document.value
    assert isinstance(header, dict), "the format's name was found in an object"
    if header.get("version") != VERSION:
        raise UnreadableFile(f'"version" is not {VERSION}, which this server reads: export the file again')
    if not isinstance(header.get("questions"), list):
        raise UnreadableFile('"questions" is not a list: put the questions there')
    try:
        file_topic, lang = text_field(header, "topic"), text_field(header, "lang")
    except QuestionError as error:
        raise UnreadableFile(f"{error}: mend it at the head of the file") from None
    return sift(FORMAT, read_entries(document, "questions", partial(_draft, topic, file_topic, lang)))


def dump(questions: Iterable[Question]) -> bytes:
    """Return a file with the questions, one a line and those of a topic together, that `parse` reads back."""
    by_topic: dict[str, list[bytes]] = {}
    for question in questions:
        given = {name: value for name, value in msgspec.structs.asdict(question).items() if value is not None}
        by_topic.setdefault(topic_key(question.topic), []).append(msgspec.json.encode(given))
    lines = [line for topic_lines in by_topic.values() for line in topic_lines]
    head = b'{"format": "%s", "version": %d, "questions": [\n' % (FORMAT.encode(), VERSION)
    return head + b",\n".join(lines) + b"\n]}\n"


def _draft(topic: str | None, file_topic: str | None, file_lang: str | None, line: int, fields: Fields) -> Draft:
    unknown = sorted(fields.keys() - _KNOWN)
    if unknown:
        raise QuestionError(f"the field {unknown[0]!a:.40} is unknown")
    correct = fields.get("correct")
    if not isinstance(correct, int) or isinstance(correct, bool):
        raise QuestionError('"correct" is not the index of an option, 0 to 3')
    own_topic, own_lang = text_field(fields, "topic"), text_field(fields, "lang")
    return Draft(
        line=line,
        topic=next((name for name in (topic, own_topic, file_topic) if name is not None), ""),
        text=needed_text(fields, "text"),
        options=text_list(fields, "options"),
        correct=correct,
        difficulty=text_field(fields, "difficulty"),
        lang=file_lang if own_lang is None else own_lang,
        explanation=text_field(fields, "explanation"),
        source=text_field(fields, "source"),
        key=text_field(fields, "key"),
    )
