"""JSON files: where in the text each element of a list begins, and fields of the type they must have."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from pairquiz_server.formats.decoding import decode_whole
from pairquiz_server.formats.outcome import Refusal, UnreadableFile
from pairquiz_server.formats.sieve import Draft, QuestionError, refuse

Fields = dict[str, Any]

_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[ \t\n\r,:]*")


class Document(Struct, frozen=True):
    """A valid JSON text and the value that it stands for. Only LF ends a line of the text."""

    text: str
    value: object


def read_document(data: bytes) -> Document:
    """Return the JSON document in the bytes.

    Raises UnreadableFile, with line and column, where they are no JSON; RecursionError if it nests too deep.
    """
    text = decode_whole(data).replace("\r\n", "\n").replace("\r", "\n")
    try:
        return Document(text, json.loads(text))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"the JSON is broken at {where} ({error.msg}): mend it there") from None
    except ValueError:
        raise UnreadableFile("the JSON has a number that is too long: mend it") from None


def read_entries(
    document: Document, member: str | None, draft: Callable[[int, Fields], Draft]
) -> Iterator[Draft | Refusal]:
    """Yield what `draft` makes of each object in the top-level list, or in the list under the name `member`.

    `draft` takes the line where the object begins and its fields; the QuestionError that it may raise becomes
    a refusal.
    """
    opening = _after_gap(document.text, 0)
    start = opening if member is None else _member_start(document.text, opening, member)

    line, counted = 1, 0
    for at, value in _values(document.text, start):
        line += document.text.count("\n", counted, at)
        counted = at
        try:
            if not isinstance(value, dict):
                raise QuestionError("a question is a JSON object")
            yield draft(line, value)
        except QuestionError as error:
            yield refuse(line, str(error), _excerpt(value))


def text_field(fields: Fields, name: str) -> str | None:
    """Return the text under a name, or None where there is none. Raises QuestionError for another type."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise QuestionError(f'"{name}" is not text')
    return value


def needed_text(fields: Fields, name: str) -> str:
    """Return the text under a name. Raises QuestionError where it is absent or of another type."""
    value = text_field(fields, name)
    if value is None:
        raise QuestionError(f'"{name}" is missing')
    return value


def text_list(fields: Fields, name: str) -> list[str]:
    """Return the list of texts under a name. Raises QuestionError where it is absent or of another type."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise QuestionError(f'"{name}" is not a list of texts')
    return value


def _values(text: str, opening: int) -> Iterator[tuple[int, object]]:
    """Yield each value behind the bracket at `opening` up to its closing one, with where it begins.

    The text is valid JSON. In an object names and values come by turns: a colon parts them as a comma does.
    """
    at = _after_gap(text, opening + 1)
    while text[at] not in "]}":
        value, end = _DECODER.raw_decode(text, at)
        yield at, value
        at = _after_gap(text, end)


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    assert gap is not None, "an empty gap matches too"
    return gap.end()


def _member_start(text: str, opening: int, member: str) -> int:
    """Return where the value of a member begins; of members with one name the last, as for `json.loads`."""
    starts = list(_values(text, opening))
    return max(start for (_, name), (start, _) in zip(starts[::2], starts[1::2], strict=True) if name == member)


def _excerpt(value: object) -> str:
    if isinstance(value, dict):
        for name in ("text", "question"):
            if isinstance(value.get(name), str):
                return str(value[name])
    return json.dumps(value, ensure_ascii=False)
