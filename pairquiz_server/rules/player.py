"""Who plays: an identity that the edge has verified, never one that a payload claims."""

import hashlib
from enum import StrEnum

from msgspec import Struct

PLAYER_ID_MAX = 128
GUEST_TOKEN_DAYS = 90
"""How long a guest can be known again after each visit."""
GUEST_PREFIX = "guest:"
ERASED_ID = "erased"
"""The id of the stand-in, which no token can prove."""
ERASED_NAME = "Erased player"
GHOST_ID = "ghost"
"""The id of the stand-in for all recorded runs that play a second seat, which no token can prove either."""
GHOST_NAME = "Ghost"
"""What a ghost is called where nobody knows any more who was recorded."""
NOBODYS_IDS = frozenset({ERASED_ID, GHOST_ID})
_NAME_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class PlayerKind(StrEnum):
    """How a player's identity was proved."""

    GUEST = "guest"
    """By a guest token that we signed."""
    USER = "user"
    """By a token of the operator's own issuer; the id is its `sub`."""
    ERASED = "erased"
    """By nothing: the stand-in for all who were erased, on the seats of matches that are the others' too."""
    GHOST = "ghost"
    """By nothing: the stand-in for all recorded runs. The recorded player does not play, and is asked nothing."""


class Player(Struct, frozen=True, gc=False):
    """One person: a seat belongs to `id`, never to a connection.

    `label` is what a guest's frontend sent as `user_id`: kept, shown to nobody, trusted for nothing.
    """

    id: str
    kind: PlayerKind
    display_name: str
    label: str | None = None


def default_display_name(player_id: str, kind: PlayerKind) -> str:
    """Return the name that others see until the player chooses one, such as `Guest 7KQ2`.

    It is derived from the id by a hash, so that it stays the same and tells nothing of the id.
    """
    digest = hashlib.sha256(player_id.encode()).digest()
    suffix = "".join(_NAME_ALPHABET[byte % len(_NAME_ALPHABET)] for byte in digest[:4])
    return f"{'Guest' if kind is PlayerKind.GUEST else 'Player'} {suffix}"
