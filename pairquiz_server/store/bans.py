"""Who may not play: one method for each query of sql/queries/bans.sql."""

import hashlib
import hmac

import msgspec
from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("bans")


class BanRow(Struct, frozen=True):
    """A ban that was written; `left_ms` is how long it still holds (None for ever), `player_id` None once erased."""

    digest: str
    player_id: str | None
    left_ms: int | None


class Look(Struct, frozen=True):
    """What a node has to know of: the bans written since its last look, and who is being erased now.

    `seen` is to be named at the next look.
    """

    seen: int
    bans: list[BanRow]
    erasing: frozenset[str]


_bans = msgspec.json.Decoder(list[BanRow])
_erasing = msgspec.json.Decoder(frozenset[str])


class Bans:
    """The bans of one database, whose digests are made with `secret`. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    def digest(self, player_id: str) -> bytes:
        """Return what a ban is known by: it tells nothing of the player to whom has not the secret."""
        return hmac.digest(self._secret, player_id.encode(), hashlib.sha256)

    async def look(self, seen: int) -> Look:
        """Return what was written since the look that has returned `seen`, 0 for all."""
        (record,) = await self._database.fetch(_QUERIES["look"], seen)
        return Look(
            record["seen"],
            _bans.decode(record["bans"]) if record["bans"] else [],
            _erasing.decode(record["erasing"]) if record["erasing"] else frozenset(),
        )

    async def ban(self, player_id: str, reason: str | None, seconds: int | None) -> None:
        """Ban a player for so long, None for ever; a ban that there is becomes this one."""
        await self._database.fetch(_QUERIES["ban"], self.digest(player_id), player_id, reason, seconds)

    async def unban(self, player_id: str) -> bool:
        """End a player's ban; tell whether there was one."""
        return bool(await self._database.fetchval(_QUERIES["unban"], self.digest(player_id)))
