"""Whether this process is fit to take players: named checks, each ok or failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from pairquiz_server.engine.recent import Recent
from pairquiz_server.store.migrations import status
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.server import ServerState

log = structlog.get_logger("pairquiz.health")

CHECK_TIMEOUT_S = 2.0
KEEP_S = 1.0
"""Who asks more often hears the same again: anybody may ask, and each answer costs four queries."""


DISPENSABLE = frozenset({"redis"})
"""Checks that are told and turn nobody away: while Redis is away, what other nodes do is looked up in PostgreSQL. All
nodes lose it at once, and whoever took them all out of service would make an outage of it.
"""


def fit(checks: Mapping[str, bool]) -> bool:
    """Tell whether a process of which these checks hold, or do not, can be played on."""
    return all(holds or name in DISPENSABLE for name, holds in checks.items())


class Health:
    """The readiness of one process. `draining` is set by whoever stops it.

    `redis` tells whether other nodes can be heard; None where there is no Redis, and then there is no such check.
    """

    def __init__(self, database: Database, redis: Callable[[], bool] | None = None, *, keep_s: float = KEEP_S) -> None:
        self._database = database
        self._redis = redis
        self._server = ServerState(database)
        self._stored = Recent(self._check_database, keep_s)
        self.draining = False

    async def checks(self) -> dict[str, bool]:
        """Return each check by name, and whether it holds; those of the database may be a moment old."""
        return {
            **await self._stored.get(),
            **({} if self._redis is None else {"redis": self._redis()}),
            "draining": not self.draining,
        }

    async def _check_database(self) -> dict[str, bool]:
        database, migrations, durability = await asyncio.gather(
            self._holds(self._answers), self._holds(self._migrated), self._holds(self._durable)
        )
        return {"database": database, "migrations": migrations, "durability": durability}

    async def _holds(self, check: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except (StorageUnavailable, TimeoutError):
            return False
        except Exception:
            log.exception("check_failed", check=check.__name__.lstrip("_"))
            return False

    async def _answers(self) -> bool:
        return await self._server.time() > 0

    async def _migrated(self) -> bool:
        return all(migration.applied_at for migration in await status(self._database))

    async def _durable(self) -> bool:
        return not await self._server.lax_settings()
