"""Where a page of a list ended: opaque text for clients, which send it back as they got it.

It is signed, for one player: what was made up, changed, or somebody else's is refused, and not answered somehow.
"""

import binascii
import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from pairquiz_server.rules.errors import Code, Refused

VERSION = 1
"""The first byte. Another one is refused: the list is then read from its beginning again."""
_PLACE = struct.Struct(">Bq16s")
_SIGNATURE_BYTES = 12
_LENGTH = (_PLACE.size + _SIGNATURE_BYTES + 2) // 3 * 4
"""Of the text, which has no padding: the bytes are a multiple of three, less one."""


class Cursors:
    """Makes and reads cursors, with a secret that all nodes share."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, player_id: str, place: tuple[int, str]) -> str:
        """Return a player's cursor: a time (milliseconds) and a match's id."""
        packed = _PLACE.pack(VERSION, place[0], UUID(place[1]).bytes)
        return urlsafe_b64encode(packed + self._sign(player_id, packed)).rstrip(b"=").decode()

    def read(self, player_id: str, text: str) -> tuple[int, str]:
        """Return the place that a player's cursor means. Raises `Refused` (`invalid_payload`)."""
        packed, signature = _split(text)
        if not hmac.compare_digest(signature, self._sign(player_id, packed)):
            raise _refused()
        version, at, match_id = _PLACE.unpack(packed)
        if version != VERSION:
            raise _refused()
        return at, str(UUID(bytes=match_id))

    def _sign(self, player_id: str, packed: bytes) -> bytes:
        return hmac.digest(self._secret, packed + player_id.encode(), hashlib.sha256)[:_SIGNATURE_BYTES]


def _split(text: str) -> tuple[bytes, bytes]:
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) <= _LENGTH else b""
    except (binascii.Error, ValueError):
        whole = b""
    canonical = urlsafe_b64encode(whole).rstrip(b"=").decode()
    if len(whole) != _PLACE.size + _SIGNATURE_BYTES or canonical != text:
        raise _refused()
    return whole[: _PLACE.size], whole[_PLACE.size :]


def _refused() -> Refused:
    return Refused(Code.INVALID_PAYLOAD, "cursor: send next_cursor of the page before as it is, or none for the first")
