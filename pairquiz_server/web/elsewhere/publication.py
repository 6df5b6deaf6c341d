"""What one node tells the others in one message."""

import msgspec
from msgspec import Struct


class Told(Struct, array_like=True, frozen=True):
    """A packet for all connections of a player, the match's version, and whether the match goes on."""

    player_id: str
    session_id: str
    version: int
    live: bool
    packet: str


class Publication(Struct, array_like=True, frozen=True):
    """What a node has to say. New fields go to the end and have defaults: nodes of two versions meet in a release.

    `players` are all who are connected to it, None where only changes are told; whoever hears `asks` tells all.
    """

    node: str
    number: int
    asks: bool
    players: list[str] | None
    came: list[str]
    went: list[str]
    told: list[Told]


class Unreadable(Exception):
    """What was published is no publication."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Publication)


def write(publication: Publication) -> bytes:
    """Return a publication as it is sent."""
    return _encoder.encode(publication)


def read(data: bytes) -> Publication:
    """Return what was sent. Raises `Unreadable`."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreadable from None
