"""What an event packet of a client asks for: which command, with which payload.

A packet as clients write it is read in one pass, straight into the payload's struct. All else (another spelling, more
arguments, a payload that does not fit) is read thoroughly, and nothing is refused before that.
"""

import re

import msgspec
from msgspec import Struct

from pairquiz_server.protocol import payloads
from pairquiz_server.protocol.commands import COMMANDS, CommandRow
from pairquiz_server.protocol.frames import ACK_DIGITS_MAX, decode_event
from pairquiz_server.rules.errors import Refused

NAME_SHOWN_MAX = 64


class Asked(Struct, frozen=True):  # for gc to see: the traceback of a refusal leads back to what it is in
    """A command that a client asks for. Where there is no such command, `row` and `payload` are None.

    `ack` has the digits under which an answer is awaited, None where none is. A payload that does not fit is a refusal.
    """

    name: str
    row: CommandRow | None
    ack: bytes | None
    payload: Struct | Refused | None


_AS_WRITTEN = re.compile(rb'2(0|[1-9][0-9]{0,%d})?\["([a-z_]+)",(.*)\]' % (ACK_DIGITS_MAX - 1), re.DOTALL)
"""An event as clients write it: under which digits it awaits an answer, its name, and what is behind."""
_DECODERS = {name.encode(): (name, row, msgspec.json.Decoder(row.payload).decode) for name, row in COMMANDS.items()}
"""A command's name → what is made of its payload."""


def read(packet: bytes) -> Asked:
    """Read an event packet, which is UTF-8. Raises `BadFrame`."""
    written = _AS_WRITTEN.fullmatch(packet)
    if written is not None:
        ack, command, payload = written.groups()
        known = _DECODERS.get(command)
        if known is not None:
            name, row, decode = known
            try:
                return Asked(name, row, ack, decode(payload))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # why is found out below
    return _read_thoroughly(packet)


def _read_thoroughly(packet: bytes) -> Asked:
    frame = decode_event(packet)
    row = COMMANDS.get(frame.name)
    if row is None:
        return Asked(frame.name[:NAME_SHOWN_MAX], None, frame.ack, None)
    try:
        return Asked(frame.name, row, frame.ack, payloads.parse(row.payload, frame.payload))
    except Refused as refusal:
        return Asked(frame.name, row, frame.ack, refusal)
