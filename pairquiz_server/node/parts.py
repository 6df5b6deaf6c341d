"""Every object of a node but those of its edge (`web/edge`), built once, and what one of them tells another."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol
from uuid import uuid4

from pairquiz_server.config import Settings
from pairquiz_server.engine.census import Census
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.departures import Departures
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.ghosts import Ghosts
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.heartbeat import Heartbeat
from pairquiz_server.engine.leaderboards import Leaderboards
from pairquiz_server.engine.maintenance import Maintenance, Notice
from pairquiz_server.engine.matchmaker import Matchmaker
from pairquiz_server.engine.memory import Memory
from pairquiz_server.engine.operating import Looking, Operating
from pairquiz_server.engine.people import People
from pairquiz_server.engine.presence import Presence
from pairquiz_server.engine.rater import Rater
from pairquiz_server.engine.rematch import Rematches
from pairquiz_server.engine.reporting import Reporting
from pairquiz_server.engine.retention import Retention
from pairquiz_server.engine.search import Hearers, Search
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.sweeper import Sweeper
from pairquiz_server.engine.turns import Turns
from pairquiz_server.metrics import Metrics
from pairquiz_server.node.rules import game_rules, keep, rematch_rules, worth
from pairquiz_server.node.tasks import Tasks
from pairquiz_server.node.vital_signs import VitalSigns
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.census import CensusRows
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.ghosts import Runs
from pairquiz_server.store.maintenance import MaintenanceRow
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Beat, Nodes
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.ratings import RatingRows
from pairquiz_server.store.rematches import RematchRows
from pairquiz_server.store.reports import Reports
from pairquiz_server.store.results import Results
from pairquiz_server.store.retention import RetentionRows
from pairquiz_server.store.seekers import Seekers
from pairquiz_server.store.seen import SeenRows
from pairquiz_server.store.standings import Standings
from pairquiz_server.store.vitals import VitalsRows
from pairquiz_server.web.announce import Announcer
from pairquiz_server.web.catch_up import CatchUp
from pairquiz_server.web.elsewhere.relay import Relay
from pairquiz_server.web.lookout import Lookout
from pairquiz_server.web.news import News
from pairquiz_server.web.sockets.connections import Connections


class Agent(Protocol):
    """What works beside the commands, from `run` until `stop`."""

    def run(self) -> Coroutine[None, None, None]:
        """Work, and never end by a fault."""

    def stop(self) -> None:
        """Let `run` return after what it is at."""


class Parts:
    """The objects of one node. `dismiss` cuts a player's connections, and is set by whoever builds the edge."""

    dismiss: Callable[[str, Refused], Coroutine[None, None, None]]

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        connections: Connections,
        relay: Relay | None,
        ban_secret: bytes,
        tasks: Tasks,
        metrics: Metrics,
    ) -> None:
        node, rules = uuid4(), game_rules(settings)
        self.node, self._nodes, self._tasks = node, Nodes(database), tasks
        self.clock, self.connections, self.relay = clock, connections, relay
        self.metrics = metrics
        self.announcer = Announcer(connections, clock.now, relay)

        # The game, and what lets time pass in it.
        questions, rows, turns = Questions(database), PresenceRows(database), Turns()
        matches = Matches(database, questions)
        self.heartbeat = Heartbeat(
            self._nodes, clock, node, moved=self._moved, forgotten=self._forgotten, returned=self._returned
        )
        self.committer = committer = Committer(
            matches,
            self.announcer.announce,
            watch=self._watch,
            pace_s=settings.database.commit_pace_ms / 1000,
            ready=self.heartbeat.ready,
            node=node,
            metrics=metrics,
        )
        self.presence = Presence(rows, self._nodes, committer, clock, node, rules.patience)
        connections.watch(self.presence)
        self.seen = Seen(SeenRows(database).find_last, committer.cached, self.heartbeat.solitude)
        self.game = game = Game(
            matches,
            questions,
            committer,
            clock,
            rules,
            seen=self.seen,
            live_here=connections.live_here,
            trip_ms=connections.trip_ms,
            turns=turns,
        )
        self.sweeper = Sweeper(
            matches,
            rows,
            committer,
            clock,
            game.by_itself,
            # The first millisecond in which no answer that arrives can be in time any more.
            margin_ms=settings.game.lag_credit_max_ms + 1,
            ready=self.heartbeat.ready,
        )

        # Who plays against whom.
        seekers, runs = Seekers(database), Runs(database)
        self.catch_up = CatchUp(game, connections, metrics)
        hearers = Hearers(
            search=self.announcer.announce_search,
            end=self.announcer.announce_end,
            look_after=self._look_after,
            present=connections.present,
        )
        self.searches = Searches(seekers, game.draws.topic, clock, node, rules, hearers, turns=turns)
        connections.watch(self.searches)
        self.matchmaker = Matchmaker(
            seekers,
            self.searches,
            game.draws.topic,
            committer,
            clock,
            node,
            rules,
            ready=self.heartbeat.ready,
            ghost=self._meet_ghost,
            ghost_wait_ms=settings.game.ghost_wait_s * 1000,
        )
        self.ghosts = Ghosts(runs, matches, rules, self.matchmaker.pair_alone)
        self.challenges = Challenges(game, runs, rules)

        # What is known of players, and what is forgotten.
        bans, erasures = Bans(database, ban_secret), Erasures(database)
        self.departures = Departures(bans, rows, committer, clock, self._cut)
        self.people = People(
            Players(database),
            erasures,
            bans,
            Blocks(database),
            self.departures,
            clock,
            self._renamed,
            Memory(Results(database), game, clock),
            Reporting(game, Reports(database), clock),
        )
        self.leaderboards = Leaderboards(Standings(database), clock)
        self.rater = Rater(RatingRows(database), clock, node, worth(settings), News(connections, relay).tell)
        self.rematches = game.rematches = Rematches(
            RematchRows(database),
            matches,
            game.draws,
            committer,
            clock,
            rematch_rules(settings),
            check=self.departures.check,
            tell=self.announcer.announce_rematch,
            turns=turns,
        )
        self.maintenance = Maintenance(MaintenanceRow(database), clock, self._maintained)
        self.operating = Operating(Looking(database, bans), committer, clock, self.maintenance)
        self.eraser = Eraser(erasures, bans)
        self.retention = Retention(RetentionRows(database), clock, keep(settings))
        self.lookout = Lookout(game, connections, self.catch_up, needed=self._unheard, told=committer.known)
        self.health = Health(database, (lambda: relay.healthy) if relay else None)
        self.vital_signs = VitalSigns(VitalsRows(database), metrics, self.health, clock, node, settings.server.region)
        self.census = Census(CensusRows(database), metrics)
        metrics.heartbeat_age_seconds.read = lambda: self.heartbeat.age_s

    async def enter(self) -> None:
        """Join the nodes of this database, at their time. From now on bans and maintenance hold here.

        Raises `StorageUnavailable`.
        """
        await self._nodes.enter(self.node, self.clock.now())
        await self.heartbeat.beat()
        await self.departures.look()
        await self.maintenance.look()

    def agents(self) -> Sequence[Agent]:
        """Return who works beside the committer for as long as the node runs."""
        return (
            self.sweeper,
            self.heartbeat,
            self.presence,
            self.matchmaker,
            self.departures,
            self.maintenance,
            self.rematches,
            self.eraser,
            self.retention,
            self.rater,
            self.lookout,
            self.vital_signs,
        )

    def _unheard(self) -> bool:
        """Whether there may be other nodes, which cannot be heard."""
        return self.heartbeat.solitude() is None and not (self.relay and self.relay.healthy)

    def _watch(self, decision: Decision) -> None:
        self.presence.watch(decision)
        self.sweeper.watch(decision)
        self.seen.watch(decision)

    def _moved(self, beat: Beat) -> None:
        self.metrics.outages.inc()
        self.metrics.outage_seconds.inc(beat.gap_ms / 1000)
        self.committer.forget(match.id for match in beat.moved)
        self._tasks.beside(self._tell_delay(beat))

    async def _tell_delay(self, beat: Beat) -> None:
        await self.committer.known()  # what was committed before the outage has an older version, and is told first
        self.announcer.announce_delay(beat)

    def _forgotten(self) -> None:
        self.presence.restore()
        self.searches.forgotten()

    def _returned(self) -> None:
        self._tasks.beside(self.catch_up.run())

    def _look_after(self, player_id: str) -> None:
        self._tasks.beside(self.catch_up.look_after(player_id))

    async def _meet_ghost(self, search: Search) -> None:
        await self.ghosts.meet(search)

    def _cut(self, player_id: str, why: Refused) -> None:
        if self.connections.present(player_id):  # of very many bans nearly nobody is here
            self._tasks.beside(self.dismiss(player_id, why))

    def _maintained(self, notice: Notice | None) -> None:
        why = None if notice is None else self.maintenance.refusal
        self.game.pause_creating(why)
        self.searches.pause(why)
        self.announcer.announce_maintenance(notice)

    def _renamed(self, player_id: str, display_name: str) -> None:
        self.connections.rename(player_id, display_name)
        self.committer.forget(self.connections.followed(player_id))
