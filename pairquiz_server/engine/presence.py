"""Who is there and who is away, over all nodes: connections that come and go become absences of matches.

A node writes whom it has, in the order in which they come and go. Who has left and is connected nowhere else counts
as away in all live matches from then on; who comes counts as back. Two nodes that meet a player at the same moment
cannot both be wrong: each writes first and looks afterwards, and who has marked somebody as away looks once more.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import MarkAbsent, MarkPresent
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import MatchCreated, MatchStarted, PlayerJoined, PlayersPaired
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import PresenceRows, SeatTaken

log = structlog.get_logger("pairquiz.presence")

DEAD_AFTER_MS = 5000
LOOK_EVERY_S = 1.0
WRITE_EVERY_S = 0.02
"""While many come or go, those of so long are written together; the first of them at once."""
MISTAKES_EVERY = 15
"""Every so many looks at dead nodes, also seats that are marked wrongly are looked for: somebody died on the way."""
SEATING = (MatchCreated, PlayerJoined, PlayersPaired, MatchStarted)
"""The events in which a player has a part without having to be connected."""


class Changes(Struct):
    """What is known of players since the last look: who came when, who left how, and who may be connected nowhere.

    Who came and has left since is in both; the visit is written first, and ends an absence, however late that is.
    """

    came: dict[str, int]
    went: dict[str, Cause]
    doubted: set[str]

    def cause(self, player_id: str) -> Cause:
        """Return how a player went; a lost line where nobody saw it."""
        return self.went.get(player_id, Cause.CONNECTION_LOST)


class Presence:
    """Keeps the presence of one node's players, and marks absences.

    A match is marked by commands, like everything that changes it.
    """

    def __init__(
        self, rows: PresenceRows, nodes: Nodes, committer: Committer, clock: Clock, node: UUID, patience: Patience
    ) -> None:
        self._rows = rows
        self._nodes = nodes
        self._committer = committer
        self._clock = clock
        self._node = node
        self._patience = patience
        self._here: set[str] = set()
        self._changes = Changes({}, {}, set())
        self._wake = asyncio.Event()
        self._marks: asyncio.Queue[tuple[Mapping[str, int], Mapping[str, Cause]] | None] = asyncio.Queue()
        self._unmarked: Counter[str] = Counter()
        """Who has come, and it is not marked yet; how often."""
        self._held: dict[str, Cause] = {}
        """Of these, who has gone again."""
        self._pace = Pace()

    def came(self, player_id: str) -> None:
        """Note that a player has a first connection to this node."""
        self._here.add(player_id)
        self._changes.went.pop(player_id, None)
        self._held.pop(player_id, None)
        self._changes.came.setdefault(player_id, self._clock.now())
        self._wake.set()

    def went(self, player_id: str, cause: Cause) -> None:
        """Note that a player's last connection to this node is gone."""
        if self._pace.stopped:
            return
        self._here.discard(player_id)
        self._changes.went[player_id] = cause
        self._wake.set()

    def watch(self, decision: Decision) -> None:
        """Look at players who have taken a seat, or begin, perhaps without any connection."""
        for event in decision.events:
            if isinstance(event, SEATING):
                for seat in decision.match.seats:
                    player = seat.player
                    if player.id not in self._here and seat.absence is None and player.kind is not PlayerKind.GHOST:
                        self._changes.doubted.add(player.id)
                        self._wake.set()

    def restore(self) -> None:
        """Say anew who is here: other nodes took this one for dead."""
        now = self._clock.now()
        self._changes.came = dict.fromkeys(self._here, now) | self._changes.came
        self._wake.set()

    def stop(self) -> None:
        """Take nobody as away from now on: it is the server that goes. Others see to those who do not come to them."""
        self._pace.stop()
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`."""
        await asyncio.gather(self._follow(), self._mark(), self._look())

    async def _follow(self) -> None:
        """Write who comes and goes, and wait for nothing else: what a node has not written, no other one can know."""
        while True:
            await self._wake.wait()
            if self._pace.stopped:
                self._marks.put_nowait(None)
                return
            self._wake.clear()
            changes, self._changes = self._changes, Changes({}, {}, set())
            self._hold(changes)
            try:
                gone = await self._note(changes)
            except StorageUnavailable as error:
                log.warning("presence_failed", reason=str(error))
                self._merge_back(changes)
                await self._pace.rest(LOOK_EVERY_S)
            except Exception:
                log.exception("presence_failed")  # a fault of ours must not end all presence
                await self._pace.rest(LOOK_EVERY_S)  # `mend_mistakes` does what was lost here
            else:
                if changes.came or gone:
                    self._unmarked.update(changes.came.keys())
                    self._marks.put_nowait((changes.came, {player: changes.cause(player) for player in gone}))
                await self._pace.rest(WRITE_EVERY_S)

    async def _mark(self) -> None:
        """Mark in the matches what has been written, in its order."""
        while (marks := await self._marks.get()) is not None:
            came, gone = marks
            while not self._pace.stopped:
                try:
                    seats = await self._rows.find_seats([*came, *gone])
                    await self._mark_present([seat for seat in seats if seat.away and seat.player_id in came], came)
                    there = [seat for seat in seats if not seat.away or seat.player_id in came]
                    await self._mark_absent([seat for seat in there if seat.player_id in gone], gone)
                    break
                except StorageUnavailable:
                    await self._pace.rest(LOOK_EVERY_S)
                except Exception:
                    log.exception("presence_failed")
                    break
            self._release(came)

    def _hold(self, changes: Changes) -> None:
        """Keep back that somebody went whose visit is not marked yet: else the absence before it would go on over it.

        Until then the row of the visit stands, by which any node can mark it.
        """
        for player_id in changes.went.keys() & (self._unmarked.keys() | changes.came.keys()):
            self._held[player_id] = changes.went.pop(player_id)

    def _release(self, came: Iterable[str]) -> None:
        """Let it be written who of those went whose visits are marked by now."""
        for player_id in came:
            self._unmarked[player_id] -= 1
            if self._unmarked[player_id] == 0:
                del self._unmarked[player_id]
                if player_id in self._held:
                    self._changes.went.setdefault(player_id, self._held.pop(player_id))
                    self._wake.set()

    async def _look(self) -> None:
        looks = 0
        while not self._pace.stopped:
            await self._pace.rest(LOOK_EVERY_S)
            looks += 1
            try:
                await self.look_for_dead_nodes()
                if looks % MISTAKES_EVERY == 0:
                    await self.mend_mistakes()
            except StorageUnavailable:
                continue  # the heartbeat tells of it
            except Exception:
                log.exception("presence_failed")

    async def look_for_dead_nodes(self) -> None:
        """Take the players of nodes that are silent for too long as gone. Raises `StorageUnavailable`.

        Who had come back to such a node is marked before it is forgotten: else the absence would go on over the visit.
        """
        await self._mark_returned(await self._rows.find_unmarked(DEAD_AFTER_MS))
        left = await self._nodes.bury(DEAD_AFTER_MS)
        for player_id in left.keys() - self._here:
            self._changes.came.setdefault(player_id, left[player_id])  # a row that the node has written only now
            self._changes.went.setdefault(player_id, Cause.NODE_LOST)
        if left:
            log.warning("node_died", players=len(left))
            self._wake.set()

    async def mend_mistakes(self) -> None:
        """Mark seats as they should be, where whoever had to do it has died. Raises `StorageUnavailable`."""
        wrong = await self._rows.find_mistakes()
        await self._mark_present([seat for seat in wrong if seat.away], {})
        absent = [seat for seat in wrong if not seat.away and seat.player_id not in self._here]
        await self._mark_absent(absent, dict.fromkeys((seat.player_id for seat in absent), Cause.NODE_LOST))

    async def _note(self, changes: Changes) -> list[str]:
        """Write what has changed, and return who is connected nowhere."""
        came, went = changes.came, changes.went
        gone = await self._rows.note(self._node, came, list(went)) if came or went else []
        if doubted := changes.doubted - self._here:
            gone += await self._rows.find_absent(list(doubted))
        return gone

    async def _mark_absent(self, seats: list[SeatTaken], causes: Mapping[str, Cause]) -> None:
        seats = [seat for seat in seats if seat.player_id not in self._here]  # who is back already never was away
        if not seats:
            return
        now = self._clock.now()
        await self._submit(
            (
                MarkAbsent(
                    match_id=seat.match_id,
                    player_id=seat.player_id,
                    cause=causes[seat.player_id],
                    patience=self._patience,
                ),
                now,
            )
            for seat in seats
        )
        # Who came to another node meanwhile was not yet away when that node looked.
        nowhere = await self._rows.find_absent(list({seat.player_id for seat in seats}))
        await self._mark_present([seat for seat in seats if seat.player_id not in nowhere], {})

    async def _mark_present(self, seats: list[SeatTaken], came: Mapping[str, int]) -> None:
        now = self._clock.now()
        await self._submit(
            (MarkPresent(match_id=seat.match_id, player_id=seat.player_id), came.get(seat.player_id, now))
            for seat in seats
        )

    async def _mark_returned(self, matches: list[str]) -> None:
        """Mark who came in time, as when that was."""
        returned = await self._rows.find_returned(matches) if matches else []
        await self._submit(
            (MarkPresent(match_id=one.match_id, player_id=one.player_id), one.came_at) for one in returned
        )

    async def _submit(self, commands: Iterable[tuple[MarkAbsent | MarkPresent, int]]) -> None:
        """Carry out commands together, each as if it had arrived at its time. Raises `StorageUnavailable`."""
        asked = [self._committer.ask(command, at) for command, at in commands]
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, Refused) and outcome.retry:
                raise StorageUnavailable(outcome.message)
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refused):
                raise outcome

    def _merge_back(self, changes: Changes) -> None:
        """Keep what could not be done; what has happened since is newer."""
        newer = self._changes
        self._changes = Changes(
            newer.came | changes.came,
            {player: cause for player, cause in changes.went.items() if player not in self._here} | newer.went,
            changes.doubted | newer.doubted,
        )
        self._wake.set()
