"""What the servers of one database share, and what they must know of it."""

import secrets

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("server")

GUEST_SECRET = "guest_secret"  # noqa: S105  (the name of a row, not a secret)
STARTER_QUESTIONS = "starter_questions"
RELAY_CHANNEL = "relay_channel"
BAN_SECRET = "ban_secret"  # noqa: S105  (the name of a row, not a secret)
CURSOR_SECRET = "cursor_secret"  # noqa: S105  (the name of a row, not a secret)
SECRET_BYTES = 32


class ServerState:
    """The shared values of one database, and its health."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def time(self) -> int:
        """Return the database's clock in milliseconds since the epoch."""
        now: int = await self._database.fetchval(_QUERIES["time"])
        return now

    async def lax_settings(self) -> list[str]:
        """Return the names of settings that are off and without which an acknowledged answer could be lost."""
        return [record["name"] for record in await self._database.fetch(_QUERIES["durability"])]

    async def get(self, key: str) -> bytes | None:
        """Return a shared value, None where nobody has written it."""
        value: bytes | None = await self._database.fetchval(_QUERIES["get"], key)
        return value

    async def put_first(self, key: str, value: bytes) -> bool:
        """Write a shared value unless somebody has; tell whether this call did."""
        return bool(await self._database.fetchval(_QUERIES["put_first"], key, value))

    async def shared(self, key: str, size: int = SECRET_BYTES) -> bytes:
        """Return random bytes that all servers of the database share; the first one makes them."""
        await self.put_first(key, secrets.token_bytes(size))
        value = await self.get(key)
        assert value is not None
        return value
