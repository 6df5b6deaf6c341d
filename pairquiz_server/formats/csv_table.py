"""CSV with a header: columns parted by comma, semicolon or tab, in any order; further columns are ignored.

The column `correct` holds the text of the right option, its letter A to D, or its number 1 to 4. The text
goes first, and a cell that is the text of one option and the letter or number of another one is refused: with
the options 2, 3, 4 and 5 nobody can tell whether a 3 stands for itself or for the third option.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from pairquiz_server.formats.decoding import decode_whole
from pairquiz_server.formats.outcome import Parsed, Refusal, UnreadableFile
from pairquiz_server.formats.sieve import Draft, QuestionError, index_of, refuse, sift

FORMAT = "CSV"

_OPTIONS = ("option_a", "option_b", "option_c", "option_d")
_NEEDED = ("question", *_OPTIONS, "correct")
_COLUMNS = {
    "text": "question",
    **{name: name for name in (*_NEEDED, "topic", "difficulty", "explanation", "lang")},
    **{f"option{number}": name for number, name in enumerate(_OPTIONS, 1)},
    **dict(zip("abcd", _OPTIONS, strict=True)),
}
_PLACES = {mark: index for marks in ("abcd", "1234") for index, mark in enumerate(marks)}


class _Dialect(csv.excel):
    skipinitialspace = True
    # Without it a quote that is never closed would swallow the rest of the file in silence.
    strict = True


class Header(Struct, frozen=True):
    """What parts the columns of a table, and the name of each, None for one that we do not read."""

    delimiter: str
    columns: tuple[str | None, ...]


def header_of(line: str) -> Header | None:
    """Return the header that a file's first line is, or None where it names neither question nor answer."""
    headers = [Header(delimiter, _column_names(line, delimiter)) for delimiter in ",;\t"]
    header = max(headers, key=lambda header: len(header.columns) - header.columns.count(None))
    return header if {"question", "correct"} & set(header.columns) else None


def parse_csv(data: bytes, header: Header, *, topic: str | None) -> Parsed:
    """Return the questions of a table; `topic` overrides its column of that name.

    Raises UnreadableFile where a column is missing or there twice, or where the text is not UTF-8.
    """
    needed = _NEEDED if topic is not None else (*_NEEDED, "topic")
    for name in needed:
        if name not in header.columns:
            advice = ", or give the topic with --topic" if name == "topic" else " to the first line"
            raise UnreadableFile(f'the table has no column "{name}": add it{advice}')
    for column, count in Counter(header.columns).items():
        if column is not None and count > 1:
            raise UnreadableFile(f'the table has {count} columns for "{column}": leave one')
    return sift(FORMAT, _entries(decode_whole(data), header, topic))


def _column_names(line: str, delimiter: str) -> tuple[str | None, ...]:
    try:
        cells = next(csv.reader([line], _Dialect, delimiter=delimiter), list[str]())
    except csv.Error:
        return ()
    return tuple(_COLUMNS.get(cell.strip().casefold()) for cell in cells)


def _entries(text: str, header: Header, topic: str | None) -> Iterator[Draft | Refusal]:
    """Yield what each record below the header says; the line is the record's first one."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, _Dialect, delimiter=header.delimiter)
    header_passed = False
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            reason = f"the quotes do not match: nothing is read up to line {reader.line_num}"
            yield refuse(line, reason, lines[line - 1])
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header_passed:
            yield _entry(line, cells, header, topic)
        header_passed = True


def _entry(line: int, cells: list[str], header: Header, topic: str | None) -> Draft | Refusal:
    width = len(header.columns)
    named = {name: cell for name, cell in zip(header.columns, cells, strict=False) if name is not None}
    text = named.get("question", "")
    if any(cell.strip() for cell in cells[width:]):
        return refuse(line, f"{len(cells)} cells where the header has {width}", text)
    options = [named.get(name, "") for name in _OPTIONS]
    try:
        correct = _right_option(named.get("correct", ""), options)
    except QuestionError as error:
        return refuse(line, str(error), text)
    return Draft(
        line=line,
        topic=named.get("topic", "") if topic is None else topic,
        text=text,
        options=options,
        correct=correct,
        difficulty=named.get("difficulty"),
        lang=named.get("lang"),
        explanation=named.get("explanation"),
    )


def _right_option(answer: str, options: list[str]) -> int | str:
    """Return the index of the right option, or the answer itself where it names none."""
    as_text = index_of(answer, options)
    as_place = _PLACES.get(answer.strip().casefold())
    if as_text is None:
        return answer if as_place is None else as_place
    if as_place is not None and as_place != as_text:
        raise QuestionError("the right answer is the text of one option and the place of another")
    return as_text
