"""What an operator looks at and does: each deed has its line in the audit, before it is done or by its statement."""

import asyncio
from collections.abc import AsyncGenerator

import structlog
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.maintenance import Maintenance
from pairquiz_server.engine.submission import Collision
from pairquiz_server.rules.commands import EndMatch
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.question import topic_key
from pairquiz_server.store.audit import Audit, AuditLine, Deed
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.census import CensusRows
from pairquiz_server.store.inspection import FRONT, Inspection, ListedMatch, Place, Whereabouts
from pairquiz_server.store.maintenance import MaintenanceRow, Standing
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.players import FoundPlayer, Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.vitals import VitalsRows

log = structlog.get_logger("pairquiz.operating")

LOOK_EVERY_S = 0.25
"""How soon whoever watches a match sees what any node has committed: by the database, with or without Redis."""
END_MATCH = "match.end"
SHOW_ANSWERS = "match.answers"


class Found(Struct, frozen=True):
    """A player, and where the player is."""

    player: FoundPlayer
    whereabouts: Whereabouts


class Looking:
    """What an operator sees of one database, whether or not a server runs. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database, bans: Bans) -> None:
        self.inspection = Inspection(database)
        self.matches = Matches(database)
        self.maintenance = MaintenanceRow(database)
        self.audit = Audit(database)
        self.vitals = VitalsRows(database)
        self.census = CensusRows(database)
        self._players = Players(database)
        self._bans = bans

    async def page(
        self,
        *,
        status: Status | None = None,
        player_id: str | None = None,
        topic: str | None = None,
        behind: Place | None = None,
        limit: int,
    ) -> tuple[list[ListedMatch], Place | None]:
        """Return a page of matches, the newest first, and where the next one begins, None where there is none."""
        page = await self.inspection.matches(
            status=status,
            player_id=player_id,
            topic_key=None if topic is None else topic_key(topic),
            behind=behind or FRONT,
            limit=limit + 1,
        )
        shown = page[:limit]
        return shown, Place(shown[-1].place, shown[-1].id) if len(page) > limit else None

    async def match(self, match_id: str) -> Match:
        """Return a match. Raises `Refused` (`not_found`)."""
        found = (await self.matches.load([match_id])).get(match_id)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        return found

    async def find(self, text: str) -> list[Found]:
        """Return players by their id, label or name, the newest first, and where they are."""
        found = await self._players.find(text, self._bans.digest(text))
        whereabouts = await self.inspection.whereabouts([one.id for one in found if one.id is not None])
        nowhere = Whereabouts([], [], None)
        return [Found(one, whereabouts.get(one.id or "", nowhere)) for one in found]


class Operating:
    """What an operator does at one node."""

    def __init__(self, looking: Looking, committer: Committer, clock: Clock, maintenance: Maintenance) -> None:
        self.looking = looking
        self._committer = committer
        self._clock = clock
        self._maintenance = maintenance

    @property
    def in_maintenance(self) -> bool:
        """Whether no match begins at this node."""
        return self._maintenance.notice is not None

    async def match(self, deed: Deed, match_id: str, *, answers: bool) -> Match:
        """Return a match; that the right options of one that goes on are asked for is noted.

        Raises `Refused` and `StorageUnavailable`, and so does all that follows.
        """
        match = await self.looking.match(match_id)
        if answers and match.status in LIVE:
            await self._note(deed, SHOW_ANSWERS, match_id)
        return match

    async def follow(self, match: Match) -> AsyncGenerator[Match | None]:
        """Yield a match each time that it has changed, until it is over; None now and then while it has not."""
        while match.status in LIVE:
            await asyncio.sleep(LOOK_EVERY_S)
            version = await self.looking.inspection.version(match.id)
            if version is None:
                return  # forgotten meanwhile
            if version == match.version:
                yield None
            else:
                match = await self.looking.match(match.id)
                yield match

    async def end(self, deed: Deed, match_id: str, *, reason: str, winner: int | None) -> Decision:
        """End a match; `winner` is a seat. What would be refused is not noted."""
        command = EndMatch(match_id=match_id, winner=winner)
        foreseen = decide(await self.looking.match(match_id), command, self._clock.now())
        if foreseen.duplicate:
            return foreseen
        await self._note(deed, END_MATCH, match_id, reason=reason, winner=None if winner is None else winner + 1)
        outcome = await self._committer.ask(command, self._clock.now())
        assert not isinstance(outcome, Collision)  # it creates nothing
        return outcome

    async def begin_maintenance(self, deed: Deed, *, message: str | None, seconds: int | None) -> Standing | None:
        """Let no match begin, and return how that stands; this node hears of it at once, the others in a second."""
        await self.looking.maintenance.begin(deed, message=message, seconds=seconds)
        log.info("operator_acted", action="maintenance.on", actor=deed.actor, via=deed.via, message=message)
        await self._maintenance.look()
        return await self.looking.maintenance.look()

    async def end_maintenance(self, deed: Deed) -> bool:
        """Let matches begin again; tell whether none could."""
        ended = await self.looking.maintenance.finish(deed)
        if ended:
            log.info("operator_acted", action="maintenance.off", actor=deed.actor, via=deed.via)
        await self._maintenance.look()
        return ended

    async def audit(self, *, within_s: float | None, subject: str | None, limit: int) -> list[AuditLine]:
        """Return what operators have done, the latest first."""
        return await self.looking.audit.read(within_s=within_s, subject=subject, limit=limit)

    async def _note(self, deed: Deed, action: str, subject: str, **detail: object) -> None:
        await self.looking.audit.note(deed, action, subject, **detail)
        log.info("operator_acted", action=action, subject=subject, actor=deed.actor, via=deed.via, **detail)
