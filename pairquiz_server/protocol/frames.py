"""The text of Socket.IO packets of the main namespace, protocol 5, as UTF-8
(https://socket.io/docs/v4/socket-io-protocol/): an event is `2["name",{…}]`, an acknowledgement `3<id>[{…}]`.
"""

import re

import msgspec
from msgspec import Raw, Struct

from pairquiz_server.protocol.events import EVENTS, CommandRefused, ConnectError, ConnectProblem, Problem
from pairquiz_server.rules.errors import Refused

ACK_DIGITS_MAX = 15
_EVENT = re.compile(rf"2([0-9]{{0,{ACK_DIGITS_MAX}}})(\[.*)", re.DOTALL)
_PAIR_OR_HALF = re.compile(
    r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_arguments = msgspec.json.Decoder(list[Raw])
_name = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode
_HEADS = {name: b'2["%b",' % name.encode() for name in EVENTS}
"""How the packet of each event begins."""


class BadFrame(ValueError):
    """A packet that cannot be read, or whose type is refused."""


class EventFrame(Struct, frozen=True):
    """An event of a client: `ack` is the number under which it awaits an answer, None where it awaits none."""

    name: str
    payload: Raw | None
    ack: bytes | None


def decode_event(packet: bytes) -> EventFrame:
    """Read an event packet; arguments after the payload are not looked at. Raises `BadFrame`."""
    try:
        found = _EVENT.fullmatch(packet.decode())
    except UnicodeDecodeError:
        raise BadFrame("not UTF-8") from None
    if found is None:
        raise BadFrame("not an event of the main namespace")
    try:
        name, *arguments = _split(found[2])
        return EventFrame(
            name=_name.decode(name),
            payload=arguments[0] if arguments else None,
            ack=b"%d" % int(found[1]) if found[1] else None,
        )
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadFrame("not a list of a name and a payload") from None


def _split(text: str) -> list[Raw]:
    """Read a list. Half a surrogate pair (an emoji that JavaScript cut in two) becomes a control character.

    It is JSON, and so it deserves an answer; but it is no text, and msgspec does not take it.
    """
    try:
        return _arguments.decode(text)
    except msgspec.DecodeError:
        return _arguments.decode(_PAIR_OR_HALF.sub(lambda found: found[1] or r"\u0000", text))


def event(name: str, payload: Struct) -> bytes:
    """Return the packet of an event that is in the table."""
    return b"".join((_HEADS[name], _encode(payload), b"]"))


def acknowledgement(ack: bytes, payload: Struct) -> bytes:
    """Return the packet that answers a command with success: the payload and `ok: true`."""
    body = _encode(payload)
    return b"".join((b"3", ack, b'[{"ok":true,' if len(body) > 2 else b'[{"ok":true', body[1:], b"]"))


def refusal_acknowledgement(ack: bytes, refusal: Refused) -> bytes:
    """Return the packet that answers a command with `ok: false`."""
    return b"3" + ack + _encode([{"ok": False, "error": problem(refusal)}])


def refusal_event(refusal: Refused, command: str) -> bytes:
    """Return the `error` event for a command whose sender asked for no acknowledgement."""
    return event(
        "error", CommandRefused(refusal.code, refusal.message, refusal.retry, **refusal.details, command=command)
    )


def connected(sid: str) -> bytes:
    """Return the packet that answers CONNECT: `sid` is what the client calls its connection."""
    return b'0{"sid":"%b"}' % sid.encode()


def connect_error(refusal: Refused) -> bytes:
    """Return the packet that answers CONNECT with a refusal after which a stock client does not come back by itself."""
    return b"4" + _encode(ConnectError(refusal.message, ConnectProblem(refusal.code, refusal.retry, **refusal.details)))


def problem(refusal: Refused) -> Problem:
    """Return what every refusal tells."""
    return Problem(refusal.code, refusal.message, refusal.retry, **refusal.details)
