"""People: one method for each query of sql/queries/players.sql."""

from collections.abc import AsyncGenerator, Sequence

from msgspec import Struct

from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("players")
_FOUND_MAX = 50
_MATCHES_A_PAGE = 100
_USES_A_PAGE = 1000
_IDS_TIMEOUT_S = 10.0
_OPERATOR_TIMEOUT_S = 60.0


class StoredProfile(Struct, frozen=True):
    """What a player is called, since when the player is known (milliseconds), and whether runs may be recorded."""

    display_name: str
    created_at: int
    record_runs: bool = True


class FoundPlayer(Struct, frozen=True):
    """A player as an operator sees one; of a ban whose player was erased, or never played, little is known.

    Times are in milliseconds; `banned_until` is None where a ban holds for ever.
    """

    id: str | None
    kind: str | None
    display_name: str | None
    label: str | None
    created_at: int | None
    seen_at: int | None
    banned: bool
    reason: str | None
    banned_until: int | None
    erasing: bool


class Players:
    """The people of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def meet(self, players: Sequence[str], now: int) -> dict[str, StoredProfile]:
        """Return what players who come at `now` are called: those of whom something is stored, by id."""
        records = await self._database.fetch(_QUERIES["meet"], players, now)
        return {
            record["id"]: StoredProfile(record["display_name"], record["created_at"], record["record_runs"])
            for record in records
        }

    async def change(
        self, player: Player, now: int, *, display_name: str | None = None, record_runs: bool | None = None
    ) -> StoredProfile | None:
        """Give a player another name, or let runs be recorded or not; None where the player is about to be erased.

        What was played while they were not, is never replayed.
        """
        if record_runs:
            await self._database.fetch(_QUERIES["keep_unrecorded"], player.id)
        records = await self._database.fetch(
            _QUERIES["change"], player.id, player.kind, display_name, now, record_runs, player.display_name
        )
        return StoredProfile(**records[0]) if records else None

    async def find(self, text: str, digest: bytes) -> list[FoundPlayer]:
        """Return players by their id, label or name, the newest first; `digest` is that of the text as an id."""
        records = await self._database.fetch(_QUERIES["find"], text, _FOUND_MAX, digest, timeout_s=_OPERATOR_TIMEOUT_S)
        return [FoundPlayer(**record) for record in records]

    async def export(self, player_id: str, digest: bytes) -> AsyncGenerator[bytes]:
        """Yield all that is stored about a player, as the pieces of one JSON object."""
        head: str = await self._database.fetchval(_QUERIES["export"], player_id, digest)
        yield head.rstrip().removesuffix("}").encode() + b', "matches": ['
        async for piece in self._joined(self._matches(player_id)):
            yield piece
        yield b'], "feature_usage": ['
        async for piece in self._joined(self._usage(player_id)):
            yield piece
        yield b"]}\n"

    async def _joined(self, pages: AsyncGenerator[list[str]]) -> AsyncGenerator[bytes]:
        first = True
        async for page in pages:
            yield (b"" if first else b",\n") + ",\n".join(page).encode()
            first = False

    async def _matches(self, player_id: str) -> AsyncGenerator[list[str]]:
        found = await self._database.fetch(_QUERIES["export_match_ids"], player_id, timeout_s=_IDS_TIMEOUT_S)
        ids = [record["id"] for record in found]
        for start in range(0, len(ids), _MATCHES_A_PAGE):
            page = await self._database.fetch(
                _QUERIES["export_matches"], player_id, ids[start : start + _MATCHES_A_PAGE]
            )
            if page:  # else all of them were forgotten meanwhile
                yield [record["match"] for record in page]

    async def _usage(self, player_id: str) -> AsyncGenerator[list[str]]:
        last = 0
        while page := await self._database.fetch(_QUERIES["export_usage"], player_id, last, _USES_A_PAGE):
            last = page[-1]["id"]
            yield [record["usage"] for record in page]
