"""From bytes to text."""

import re
from collections.abc import Iterator

from pairquiz_server.formats.outcome import UnreadableFile

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_LINE_END = re.compile(rb"\r\n|\n|\r")


def decode_whole(data: bytes) -> str:
    """Return the text of a file that is UTF-8 throughout.

    Raises UnreadableFile with the first line that is not.
    """
    data = data.removeprefix(BYTE_ORDER_MARK)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data, 0, error.start)) + 1
        raise UnreadableFile(f"line {line} is not UTF-8 text: save the file as UTF-8") from None


def decode_lines(data: bytes) -> Iterator[str]:
    """Yield the lines without their ends, each in the first encoding that fits it.

    Only CR, LF and CR LF end a line: the byte 0x85 is a next-line character in one encoding, an ellipsis in
    another.
    """
    for line in _LINE_END.split(data.removeprefix(BYTE_ORDER_MARK)):
        yield _decode_line(line)


def _decode_line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
