"""What an event packet of a client asks for: which command, with which payload.

A packet as clients write it is read in one pass, straight into the payload's struct. All else (another spelling, more
arguments, a payload that does not fit) is read thoroughly, and nothing is refused before that.
"""

from typing import Union

import msgspec
from msgspec import Struct, defstruct

from pairquiz_server.protocol import reading
from pairquiz_server.protocol.commands import COMMANDS, CommandRow
from pairquiz_server.protocol.frames import ACK_DIGITS_MAX, decode_event
from pairquiz_server.rules.errors import Refused

NAME_SHOWN_MAX = 64
_LAST_START = 1 + ACK_DIGITS_MAX
"""Where an event's list begins at the latest."""
_ZERO = ord("0")


class Asked(Struct, frozen=True):  # for gc to see: the traceback of a refusal leads back to what it is in
    """A command that a client asks for. Where there is no such command, `row` and `payload` are None.

    `ack` has the digits under which an answer is awaited, None where none is. A payload that does not fit is a refusal.
    """

    name: str
    row: CommandRow | None
    ack: bytes | None
    payload: Struct | Refused | None


_ASKING = {
    defstruct(row.payload.__name__, [("payload", row.payload)], frozen=True, gc=False, array_like=True, tag=name): (
        name,
        row,
    )
    for name, row in COMMANDS.items()
}
"""What the list of a command's event, its name and its payload, is read as → which command that is."""
_decode = msgspec.json.Decoder(Union[tuple(_ASKING)]).decode  # noqa: UP007 - of as many as there are


def read(packet: bytes) -> Asked:
    """Read an event packet, which is UTF-8. Raises `BadFrame`."""
    start = packet.find(b"[")
    ack = packet[1:start] or None
    if ack is None or (ack.isdigit() and start <= _LAST_START and ack[0] != _ZERO):
        try:
            event = _decode(packet[start:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # why is found out below
        else:
            name, row = _ASKING[type(event)]
            return Asked(name, row, ack, event.payload)
    return _read_thoroughly(packet)


def _read_thoroughly(packet: bytes) -> Asked:
    frame = decode_event(packet)
    row = COMMANDS.get(frame.name)
    if row is None:
        return Asked(frame.name[:NAME_SHOWN_MAX], None, frame.ack, None)
    try:
        return Asked(frame.name, row, frame.ack, reading.parse(row.payload, frame.payload))
    except Refused as refusal:
        return Asked(frame.name, row, frame.ack, refusal)
