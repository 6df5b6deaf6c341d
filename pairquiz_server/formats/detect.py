"""Which format a file has: told by its content, never by its name."""

from pairquiz_server.formats.csv_table import header_of, parse_csv
from pairquiz_server.formats.decoding import BYTE_ORDER_MARK, decode_lines
from pairquiz_server.formats.json_document import Document, read_document
from pairquiz_server.formats.opentdb import RESULTS, parse_opentdb
from pairquiz_server.formats.opentriviaqa import is_open_trivia_qa, parse_open_trivia_qa
from pairquiz_server.formats.outcome import Parsed, UnreadableFile
from pairquiz_server.formats.own import FORMAT, parse_own

_KNOWN_FORMATS = "OpenTDB JSON, OpenTriviaQA text, CSV with a header, or JSON as `export` writes it"
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save the sheet as CSV in UTF-8",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}


def parse(data: bytes, *, name: str, topic: str | None = None) -> Parsed:
    """Return the questions of a file and why each other entry is refused.

    `name` is the file's name, which OpenTriviaQA takes its topic from; `topic` overrides every topic in the
    file. Raises UnreadableFile where the file as a whole is none of the known formats.
    """
    for start, what in _NO_TEXT.items():
        if data.startswith(start):
            raise UnreadableFile(f"the file is {what}")
    if b"\0" in data:
        raise UnreadableFile(f"the file is not text (it has NUL bytes): give {_KNOWN_FORMATS}")
    content = data.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not content:
        raise UnreadableFile(f"the file is empty: give {_KNOWN_FORMATS}")

    if content.startswith((b"{", b"[")):
        return _parse_json(data, topic)
    first_line = next(line for line in decode_lines(content))
    header = header_of(first_line)
    if header is not None:
        return parse_csv(data, header, topic=topic)
    if is_open_trivia_qa(content):
        return parse_open_trivia_qa(data, name=name, topic=topic)
    raise UnreadableFile(f"the format is unknown: give {_KNOWN_FORMATS}")


def _parse_json(data: bytes, topic: str | None) -> Parsed:
    try:
        return _parse_document(read_document(data), topic)
    except RecursionError:
        raise UnreadableFile(f"the JSON nests too deep: give {_KNOWN_FORMATS}") from None


def _parse_document(document: Document, topic: str | None) -> Parsed:
    match document.value:
        case {"format": str(name)} if name == FORMAT:
            return parse_own(document, topic=topic)
        case list():
            return parse_opentdb(document, topic=topic)
        case dict(value) if RESULTS in value:
            return parse_opentdb(document, topic=topic)
    raise UnreadableFile(f"the JSON is of an unknown kind: give {_KNOWN_FORMATS}")
