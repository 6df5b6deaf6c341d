"""One node: builds every object once, starts them, and stops them in order."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog
from aiohttp import web
from msgspec import Struct

from pairquiz_server.config import Settings
from pairquiz_server.database import prepared_database
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.departures import Departures
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.engine.game import Game, GameRules
from pairquiz_server.engine.ghosts import Ghosts
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.heartbeat import Heartbeat, find_time
from pairquiz_server.engine.leaderboards import Leaderboards
from pairquiz_server.engine.matchmaker import Matchmaker
from pairquiz_server.engine.memory import Memory
from pairquiz_server.engine.people import People
from pairquiz_server.engine.presence import Presence
from pairquiz_server.engine.rater import Rater
from pairquiz_server.engine.rematch import Rematches, RematchRules
from pairquiz_server.engine.reporting import Reporting
from pairquiz_server.engine.retention import Keep, Retention
from pairquiz_server.engine.searches import Hearers, Searches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.sweeper import Sweeper
from pairquiz_server.engine.turns import Turns
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol.cursors import Cursors
from pairquiz_server.rules.absence import Patience
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.fairness import Worth
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.ghosts import Runs
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
from pairquiz_server.store.server import BAN_SECRET, CURSOR_SECRET, GUEST_SECRET, RELAY_CHANNEL, ServerState
from pairquiz_server.store.standings import Standings
from pairquiz_server.web.announce import Announcer
from pairquiz_server.web.catch_up import CatchUp
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.edge import Edge
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.http_lines import HttpLines
from pairquiz_server.web.identity.auth import Authenticator
from pairquiz_server.web.identity.jwks import IssuerKeys
from pairquiz_server.web.news import News
from pairquiz_server.web.relay import Relay
from pairquiz_server.web.sockets.connections import Connections
from pairquiz_server.web.sockets.transport import Transports

log = structlog.get_logger("pairquiz.node")

LET_GO_S = 0.5
_RELAY_CHANNEL_BYTES = 16


class Running(Struct, frozen=True):
    """A server whose parts work, before it listens."""

    site: web.Application
    game: Game
    people: People
    database: Database
    health: Health
    drain: Drain
    transports: Transports
    arrivals: Arrivals
    lines: HttpLines
    metrics: Metrics
    failed: asyncio.Event
    """Set when a part that must never end has ended: the process is of no use any more."""


@asynccontextmanager
async def running(settings: Settings, url: str) -> AsyncIterator[Running]:
    """Yield a server that works: connected, migrated, with questions, committing and sweeping.

    Afterwards it takes no more commands, finishes those that it has, and lets go of the database.
    Raises `StorageUnavailable` and `MigrationError`.
    """
    async with prepared_database(settings, url) as database:
        server = ServerState(database)
        questions = Questions(database)
        if lax := await server.lax_settings():
            log.warning("answers_can_be_lost", settings=lax, hint="turn them on: readyz stays red until then")

        metrics = Metrics()
        node = uuid4()
        nodes = Nodes(database)
        matches = Matches(database, questions)
        clock = Clock(await find_time(nodes, matches))
        rules = _game_rules(settings)

        def watch(decision: Decision) -> None:
            presence.watch(decision)
            sweeper.watch(decision)
            seen.watch(decision)

        def moved(beat: Beat) -> None:
            committer.forget(match.id for match in beat.moved)
            beside(tell_delay(beat))

        async def tell_delay(beat: Beat) -> None:
            await committer.known()  # what was committed before the outage has an older version, and is told first
            announcer.announce_delay(beat)

        connections = Connections()
        relay = await open_relay(settings, server, connections)
        announcer = Announcer(connections, clock.now, relay)

        def forgotten() -> None:
            presence.restore()
            searches.forgotten()

        def returned() -> None:
            beside(catch_up.run())

        def beside(work: Coroutine[None, None, None]) -> None:
            task = watched(work, failed)
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        def cut(player_id: str, why: Refused) -> None:
            if connections.present(player_id):  # of very many bans nearly nobody is here
                beside(edge.sockets.dismiss_player(player_id, why))

        def renamed(player_id: str, display_name: str) -> None:
            connections.rename(player_id, display_name)
            committer.forget(connections.followed(player_id))

        turns = Turns()
        failed = asyncio.Event()
        under_way: set[asyncio.Task[None]] = set()
        heartbeat = Heartbeat(nodes, clock, node, moved=moved, forgotten=forgotten, returned=returned)
        committer = Committer(
            matches,
            announcer.announce,
            watch=watch,
            pace_s=settings.database.commit_pace_ms / 1000,
            ready=heartbeat.ready,
            node=node,
            metrics=metrics,
        )
        rows = PresenceRows(database)
        presence = Presence(rows, nodes, committer, clock, node, rules.patience)
        connections.watch(presence)
        # The first millisecond in which no answer that arrives can be in time any more.
        margin_ms = settings.game.lag_credit_max_ms + 1
        seen = Seen(SeenRows(database).find_last, committer.cached, heartbeat.solitude)
        game = Game(
            matches,
            questions,
            committer,
            clock,
            rules,
            seen=seen,
            live_here=connections.live_here,
            trip_ms=connections.trip_ms,
            turns=turns,
        )
        runs = Runs(database)
        challenges = Challenges(game, runs, rules)
        sweeper = Sweeper(matches, rows, committer, clock, game.by_itself, margin_ms=margin_ms, ready=heartbeat.ready)
        seekers = Seekers(database)
        hearers = Hearers(
            search=announcer.announce_search,
            end=announcer.announce_end,
            look_after=lambda player_id: beside(catch_up.look_after(player_id)),
            present=connections.present,
        )
        searches = Searches(seekers, game.draws.topic, clock, node, rules, hearers, turns=turns)
        connections.watch(searches)
        matchmaker = Matchmaker(
            seekers,
            searches,
            game.draws.topic,
            committer,
            clock,
            node,
            rules,
            ready=heartbeat.ready,
            ghost=lambda search: ghosts.meet(search),
            ghost_wait_ms=settings.game.ghost_wait_s * 1000,
        )
        ghosts = Ghosts(runs, matches, rules, matchmaker.pair_alone)
        bans = Bans(database, await server.shared(BAN_SECRET))
        erasures = Erasures(database)
        departures = Departures(bans, rows, committer, clock, cut)
        memory = Memory(Results(database), game, clock)
        reporting = Reporting(game, Reports(database), clock)
        people = People(
            Players(database), erasures, bans, Blocks(database), departures, clock, renamed, memory, reporting
        )
        rater = Rater(RatingRows(database), clock, node, _worth(settings), News(connections, relay).tell)
        rematches = game.rematches = Rematches(
            RematchRows(database),
            matches,
            game.draws,
            committer,
            clock,
            _rematch_rules(settings),
            check=departures.check,
            tell=announcer.announce_rematch,
            turns=turns,
        )
        eraser = Eraser(erasures, bans)
        retention = Retention(RetentionRows(database), clock, _keep(settings))
        catch_up = CatchUp(game, connections)
        health = Health(database, (lambda: relay.healthy) if relay else None)

        issuer_keys = IssuerKeys(settings.auth.jwks_url, metrics) if settings.auth.jwks_url else None
        proof = await authenticator(settings, database, issuer_keys)
        leaderboards = Leaderboards(Standings(database), clock)
        cursors = Cursors(await server.shared(CURSOR_SECRET))
        edge = Edge(
            settings,
            game,
            people,
            challenges,
            searches,
            leaderboards,
            cursors,
            clock,
            health,
            connections,
            proof,
            metrics,
        )
        await nodes.enter(node, clock.now())
        await heartbeat.beat()
        await departures.look()  # nobody who is banned is let in, from the first handshake on
        watching = [watched(work, failed) for work in edge.watches()]
        committing, *agents = (
            watched(work, failed)
            for work in (
                committer.run(),
                sweeper.run(),
                heartbeat.run(),
                presence.run(),
                matchmaker.run(),
                departures.run(),
                rematches.run(),
                eraser.run(),
                retention.run(),
                rater.run(),
            )
        )
        if issuer_keys:
            beside(issuer_keys.run())
        relaying = watched(relay.run(catch_up.run), failed) if relay else None
        drain = Drain(health, game, matchmaker, committer, committing, presence, connections, edge.transports)
        site = edge.site(drain)
        try:
            yield Running(
                site,
                game,
                people,
                database,
                health,
                drain,
                edge.transports,
                edge.arrivals,
                edge.lines,
                metrics,
                failed,
            )
        finally:
            for agent in (sweeper, heartbeat, presence, matchmaker, departures, rematches, eraser, retention, rater):
                agent.stop()
            await drain.close()
            for task in (*watching, *under_way):
                task.cancel()
            # They may still hold a connection, which is cut if it does not answer.
            await asyncio.wait({committing, *agents}, timeout=LET_GO_S)
            for task in agents:
                task.cancel()
            if relay and relaying:
                await relay.finish()
                relaying.cancel()
                await asyncio.wait({relaying})
            await edge.sockets.shutdown()


def watched(work: Coroutine[None, None, None], failed: asyncio.Event) -> asyncio.Task[None]:
    """Run work that must not end by a fault; `failed` is set if it does."""

    def note(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("part_failed", exc_info=error)
            failed.set()

    task = asyncio.create_task(work)
    task.add_done_callback(note)
    return task


async def authenticator(settings: Settings, database: Database, issuer_keys: IssuerKeys | None = None) -> Authenticator:
    """Return who proves tokens. Guests' are signed by the configured secret, else by one that all servers share."""
    secret = settings.guest_secret
    key = secret.encode() if secret else await ServerState(database).shared(GUEST_SECRET)
    return Authenticator(settings, key, issuer_keys)


async def open_relay(settings: Settings, server: ServerState, connections: Connections) -> Relay | None:
    """Return the way to the other nodes of this database, None where no Redis is configured.

    The channel's name is by chance and kept in the database, so that two deployments on one Redis never share it.
    Raises `ConfigError`.
    """
    if settings.redis_url is None:
        return None
    name = await server.shared(RELAY_CHANNEL, _RELAY_CHANNEL_BYTES)
    return Relay(settings.redis_url, f"pairquiz:{name.hex()}", connections)


def _game_rules(settings: Settings) -> GameRules:
    game = settings.game
    return GameRules(
        question_count=game.question_count,
        time_limit_s=game.time_limit_s,
        scoring=Scoring(game.points, game.speed_bonus),
        waiting_ttl_ms=game.waiting_ttl_s * 1000,
        ready_ttl_ms=game.ready_ttl_s * 1000,
        start_delay_ms=game.start_delay_ms,
        reveal_lead_max_ms=game.reveal_lead_max_ms,
        round_pause_ms=game.round_pause_ms,
        patience=Patience(
            lost_ms=game.reconnect_grace_s * 1000,
            closed_ms=game.closed_grace_s * 1000,
            budget_ms=game.absence_budget_s * 1000,
        ),
        live_matches_max=settings.limits.live_matches_per_user,
        lag_allowance=LagAllowance(game.lag_credit_max_ms, game.lag_bank_ms),
        record_runs=game.record_runs,
        challenge_ttl_ms=game.challenge_days * 24 * 3600 * 1000,
    )


def _worth(settings: Settings) -> Worth:
    return Worth(guests=settings.game.rated_guests, ghosts=settings.game.ghost_rating_weight)


def _rematch_rules(settings: Settings) -> RematchRules:
    return RematchRules(
        hold_ms=settings.game.rematch_ttl_s * 1000,
        start_delay_ms=settings.game.start_delay_ms,
        ready_ttl_ms=settings.game.ready_ttl_s * 1000,
        live_matches_max=settings.limits.live_matches_per_user,
    )


def _keep(settings: Settings) -> Keep:
    retention = settings.retention
    return Keep(
        finished_days=retention.finished_matches_days,
        unfinished_days=retention.unfinished_matches_days,
        usage_days=retention.usage_days,
        guests_days=retention.guests_days,
    )
