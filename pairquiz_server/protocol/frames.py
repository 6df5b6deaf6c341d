"""The text of Socket.IO packets of the main namespace, protocol 5
(https://socket.io/docs/v4/socket-io-protocol/): an event is `2["name",{…}]`, an acknowledgement `3<id>[{…}]`.
"""

import re

import msgspec
from msgspec import Raw, Struct

from pairquiz_server.rules.errors import Refused

ACK_DIGITS_MAX = 15
_EVENT = re.compile(rf"2([0-9]{{0,{ACK_DIGITS_MAX}}})(\[.*)", re.DOTALL)
_PAIR_OR_HALF = re.compile(
    r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_arguments = msgspec.json.Decoder(list[Raw])
_name = msgspec.json.Decoder(str)
_encoder = msgspec.json.Encoder()


class BadFrame(ValueError):
    """A packet that cannot be read, or whose type is refused."""


class EventFrame(Struct, frozen=True):
    """An event of a client: `ack` is the number under which it awaits an answer, None where it awaits none."""

    name: str
    payload: Raw | None
    ack: int | None


def decode_event(text: str) -> EventFrame:
    """Read an event packet; arguments after the payload are not looked at. Raises `BadFrame`."""
    found = _EVENT.fullmatch(text)
    if found is None:
        raise BadFrame("not an event of the main namespace")
    try:
        name, *arguments = _split(found[2])
        return EventFrame(
            name=_name.decode(name),
            payload=arguments[0] if arguments else None,
            ack=int(found[1]) if found[1] else None,
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


def event(name: str, payload: Struct) -> str:
    """Return an event packet."""
    return f'2["{name}",{_encoder.encode(payload).decode()}]'


def acknowledgement(ack: int, payload: Struct) -> str:
    """Return the packet that answers a command with success: the payload and `ok: true`."""
    body = _encoder.encode(payload).decode()
    return f'3{ack}[{{"ok":true{"," if len(body) > 2 else ""}{body[1:]}]'


def refusal_acknowledgement(ack: int, refusal: Refused) -> str:
    """Return the packet that answers a command with `ok: false`."""
    return f'3{ack}[{{"ok":false,"error":{_encoder.encode(refusal_body(refusal)).decode()}}}]'


def refusal_event(refusal: Refused, command: str) -> str:
    """Return the `error` event for a command whose sender asked for no acknowledgement."""
    body = {**refusal_body(refusal), "command": command}
    return f'2["error",{_encoder.encode(body).decode()}]'


def connected(sid: str) -> bytes:
    """Return the packet that answers CONNECT: `sid` is what the client calls its connection."""
    return b'0{"sid":"%b"}' % sid.encode()


def connect_error(refusal: Refused) -> bytes:
    """Return the packet that answers CONNECT with a refusal after which a stock client does not come back by itself."""
    body = {"message": refusal.message, "data": {"code": refusal.code, "retry": refusal.retry}}
    return b"4" + _encoder.encode(body)


def refusal_body(refusal: Refused) -> dict[str, int | str | bool]:
    """Return what every error tells: `code`, `message`, `retry`, and the refusal's own details."""
    return {"code": refusal.code, "message": refusal.message, "retry": refusal.retry, **refusal.details}
