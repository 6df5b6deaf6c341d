"""A database as somebody looks at it who does not know whether it works, on connections that nobody else uses."""

import ssl
import time
from statistics import median

import asyncpg
from msgspec import Struct

from pairquiz_server.store.knocking import NotExaminable, Trouble, connected, encrypts, knock, named, place
from pairquiz_server.store.migration import read_migrations
from pairquiz_server.store.pooling import Pooling, find_pooling
from pairquiz_server.store.queries import load
from pairquiz_server.store.tls import TlsError, checked_tls

_QUERIES = load("examination")
_FAILS = (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_WITHOUT_TLS = ("disable", "allow")
"""By these asyncpg goes without TLS first, and with it only where it must."""
ALIVE_MS = 5000
TRIPS = 7


class Facts(Struct, frozen=True):
    """What a server of PostgreSQL is, and what our role may do there; `now` in milliseconds."""

    version: int
    version_text: str
    role: str
    database: str
    standby: bool
    read_only: bool
    now: int
    connections: int
    may_create_schema: bool
    has_schema: bool
    owns_schema: bool
    has_migrations: bool
    may_write: bool
    lax: list[str]
    exposed_to: list[str]


class Standing(Struct, frozen=True):
    """Where the schema stands: migrations by number and name that are pending, newer than ours, or changed."""

    pending: list[str]
    newer: list[str]
    changed: list[str]


class Running(Struct, frozen=True):
    """How many servers run on a database, and the name by which they find each other at Redis, if they do."""

    alive: int
    channel: str | None


class LongTransaction(Struct, frozen=True):
    """A transaction that has been open for many seconds."""

    pid: int
    role: str
    state: str
    seconds: int


class Examination:
    """Looks at a database, on one connection; whatever cannot be asked is `NotExaminable`."""

    def __init__(self, connection: asyncpg.Connection, dsn: str, timeout_s: float, tls: ssl.SSLContext | None) -> None:
        self._connection = connection
        self._dsn = dsn
        self._timeout_s = timeout_s
        self._tls = tls
        self.encrypted = False
        """Whether what goes there is: of a pooler, on the way to it."""

    @classmethod
    async def begin(cls, dsn: str, *, timeout_s: float, root_cert: str = "") -> "Examination":
        """Connect; `root_cert` is the setting of who signs certificates. Raises `NotExaminable`."""
        where = place(dsn)
        try:
            tls = checked_tls(root_cert, dsn)
        except TlsError as error:
            raise NotExaminable(Trouble.CA_MISSING, str(error)) from None
        encrypted = False
        if not where.local:
            await knock(where, timeout_s)
            without = any(f"sslmode={mode}" in dsn for mode in _WITHOUT_TLS)
            encrypted = await encrypts(where, timeout_s) and not without
        examination = cls(await connected(dsn, timeout_s, tls), dsn, timeout_s, tls)
        examination.encrypted = encrypted
        return examination

    async def end(self) -> None:
        """Hang up."""
        self._connection.terminate()

    async def facts(self) -> Facts:
        """Return what the server is."""
        (record,) = await self._fetch(_QUERIES["facts"])
        return Facts(**record)

    async def standing(self) -> Standing:
        """Return where the schema stands; to be asked where there is one."""
        applied = {record["number"]: record for record in await self._fetch(_QUERIES["applied"])}
        known = read_migrations()
        numbers = {one.number for one in known}
        return Standing(
            pending=[f"{one.number:04} {one.name}" for one in known if one.number not in applied],
            newer=[f"{number:04} {record['name']}" for number, record in applied.items() if number not in numbers],
            changed=[
                f"{one.number:04} {one.name}"
                for one in known
                if one.number in applied and applied[one.number]["checksum"] != one.checksum
            ],
        )

    async def running(self) -> Running:
        """Return which servers run on it; to be asked where the schema is whole."""
        (record,) = await self._fetch(_QUERIES["nodes"], ALIVE_MS)
        return Running(**record)

    async def long_transactions(self, seconds: int) -> list[LongTransaction]:
        """Return the transactions that have been open for longer than that."""
        return [LongTransaction(**record) for record in await self._fetch(_QUERIES["long_transactions"], seconds)]

    async def round_trip_ms(self) -> float:
        """Return how long the way there and back takes, in the median of some."""
        trips = []
        try:
            for _ in range(TRIPS):
                began = time.perf_counter()
                await self._connection.execute(_QUERIES["nothing"], timeout=self._timeout_s)
                trips.append((time.perf_counter() - began) * 1000)
        except _FAILS as error:
            raise named(error) from None
        return median(trips)

    async def pooling(self) -> Pooling:
        """Return what stands between us and the database. Raises `NotExaminable`."""

        async def connect(**_: object) -> asyncpg.Connection:
            return await connected(self._dsn, self._timeout_s, self._tls)

        try:
            return await find_pooling(self._connection, connect, None, self._timeout_s)
        except _FAILS as error:
            raise named(error) from None

    async def _fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a query in a transaction, so that a pooler does not change the session in its middle."""
        try:
            async with self._connection.transaction():
                rows: list[asyncpg.Record] = await self._connection.fetch(query, *arguments, timeout=self._timeout_s)
                return rows
        except _FAILS as error:
            raise named(error) from None
