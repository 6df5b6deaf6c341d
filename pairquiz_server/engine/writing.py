"""The batches of one node on their way to disk: numbered, so that one whose answer was lost is looked up."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import structlog

from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.rows import Change

log = structlog.get_logger("pairquiz.writing")

RETRY_PAUSE_S = 0.05
"""Short beside what a player waits, long beside a statement."""


class Writing:
    """Writes the batches of a node, one after the other."""

    def __init__(self, matches: Matches, node: UUID) -> None:
        self._matches = matches
        self._node = node
        self._number = 0
        self._lost_at: float | None = None
        self._known = asyncio.Event()
        self._known.set()

    async def known(self) -> None:
        """Wait until it is known what became of the last batch that was begun."""
        await self._known.wait()

    @property
    def lost_for_s(self) -> float:
        """For how long nobody has known what became of the last batch; 0 where it is known."""
        return 0.0 if self._lost_at is None else asyncio.get_running_loop().time() - self._lost_at

    async def save(self, changes: Iterable[Change]) -> frozenset[str] | None:
        """Write a batch; return the ids of the matches that did not move, None where nothing is committed, nor will be.

        Where the answer is lost, this takes as long as the database is away.
        """
        self._number += 1
        self._known.clear()
        try:
            return await self._save(changes)
        finally:
            self._known.set()

    async def _save(self, changes: Iterable[Change]) -> frozenset[str] | None:
        try:
            if self._number == 1:
                await self._matches.register(self._node)
            return await self._matches.save(changes, self._node, self._number)
        except StorageUnavailable as error:
            log.warning("write_unanswered", number=self._number, reason=str(error))
        self._lost_at = asyncio.get_running_loop().time()
        try:
            stuck = await self._resolve()
        finally:
            self._lost_at = None
        log.info("write_resolved", number=self._number, committed=stuck is not None)
        return stuck

    async def _resolve(self) -> frozenset[str] | None:
        while True:
            await asyncio.sleep(RETRY_PAUSE_S)
            await self._matches.back()
            try:
                return await self._matches.resolve(self._node, self._number)
            except StorageUnavailable as error:
                log.debug("write_unresolved", number=self._number, reason=str(error))
