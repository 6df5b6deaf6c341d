"""Servers that are replaced by another version one by one, and back, while duels go on: what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.acceptance.server import Server
from tests.chaos import ledger
from tests.chaos.finding import NEVER_ENDED, Finding
from tests.chaos.history import History
from tests.chaos.ledger import Ledger
from tests.chaos.pair import Pair, Play, right_options
from tests.chaos.player import Player, World
from tests.chaos.verdict import judge
from tests.upgrades.versions import command

ONE_ADDRESS = {
    "PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS": "0",
    "PAIRQUIZ_LIMITS__ARRIVALS_PER_MINUTE_PER_ADDRESS": "0",
    "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE_PER_ADDRESS": "0",
    "PAIRQUIZ_LIMITS__FAILED_JOINS_PER_MINUTE": "0",
}
"""All players come from there."""
FORFEITED = ("player_left", "player_absent")
UNPLAYED = ("nobody_joined", "never_started")
UNDER_WAY = "SELECT count(*) FROM pairquiz.matches WHERE status = 'in_progress'"
MEND_S = 12.0
BOUND_MS = 5000
GATHER_S = 120.0
"""Until all duels have begun, at most."""
END_S = 240.0
"""Until all have ended after the last restart, at most."""


@dataclass(frozen=True)
class Plan:
    """A run: `versions` are the folders that all nodes are brought to, one after the other, from the first one on."""

    versions: Sequence[Path]
    duels: int
    nodes: int
    play: Play
    seed: int


@dataclass(frozen=True)
class Restart:
    """One node that was stopped and started as another version: how long it was away, and how many duels went on."""

    version: str
    node: int
    stopped_s: float
    started_s: float
    under_way: int


@dataclass
class Outcome:
    """What came of a run."""

    findings: list[Finding]
    restarts: list[Restart]
    history: History
    stored: Ledger

    @property
    def ends(self) -> Counter[str]:
        """How many matches ended for which reason."""
        return Counter(match.end_reason or match.status for match in self.stored.matches.values())


async def roll(plan: Plan, database_url: str, redis_url: str, folder: Path) -> Outcome:
    """Carry out a run on an empty or a prepared database; `folder` is for its logs."""
    random, history = Random(plan.seed), History()
    restarts: list[Restart] = []
    async with AsyncExitStack() as stack:
        environ = {"REDIS_URL": redis_url, **ONE_ADDRESS}
        nodes = [Server(database_url, folder / f"node{number}.log", environ) for number in range(plan.nodes)]
        for node in nodes:
            stack.callback(node.close)
            stack.push_async_callback(node.kill)
            node.command = command(plan.versions[0])
            await node.start()
        for node in nodes:
            await node.until_ready()
        connection = await asyncpg.connect(database_url)
        stack.push_async_callback(connection.close)
        async with _duels(plan, [node.url for node in nodes], history, random) as (players, pairs, slow):
            await _until_under_way(connection, plan.duels)
            for version in plan.versions[1:]:
                for number, node in enumerate(nodes):
                    restarts.append(await _restart(node, number, version, connection))
        await ledger.settle(database_url)
        stored = await ledger.read(database_url)
        for node in nodes:
            await node.stop()
    findings = judge(history, stored, bound_ms=BOUND_MS, mend_s=MEND_S)
    findings += [Finding("complaint", None, text) for player in players for text in player.complaints]
    findings += [Finding(NEVER_ENDED, None, f"{pair.name}: {pair.stage}") for pair in pairs if pair.name in slow]
    for match in stored.matches.values():
        if match.end_reason in (*FORFEITED, *UNPLAYED):
            findings.append(Finding("forfeited", match.id, f"ended by {match.end_reason}"))
    for node in nodes:
        findings += [Finding("traceback", None, line[:300]) for line in node.log.splitlines() if "Traceback" in line]
    return Outcome(findings, restarts, history, stored)


async def _restart(node: Server, number: int, version: Path, connection: asyncpg.Connection) -> Restart:
    """Stop a node as a platform does, start another version in its place, and wait until it is ready."""
    under_way = await connection.fetchval(UNDER_WAY)
    began = time.monotonic()
    await node.stop()
    stopped = time.monotonic()
    node.command = command(version)
    await node.start()
    await node.until_ready()
    return Restart(version.name, number, stopped - began, time.monotonic() - stopped, under_way)


async def _until_under_way(connection: asyncpg.Connection, duels: int) -> None:
    async with asyncio.timeout(GATHER_S):
        # Some have ended, and the next one is not begun. Nothing tells of it.
        while await connection.fetchval(UNDER_WAY) < duels * 0.9:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _duels(
    plan: Plan, urls: Sequence[str], history: History, random: Random
) -> AsyncIterator[tuple[list[Player], list[Pair], set[str]]]:
    """Let pairs play match after match beside what is within, and each its last one to the end."""
    right, stopping, slow = right_options(), asyncio.Event(), set[str]()
    connector = TCPConnector(limit=0, force_close=True)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as session:
        # As the official client does it.
        world = World(urls, session, history, connect_s=20.0, backoff_s=(1.0, 5.0), obedient=True)
        players = [Player(world, Random(random.random())) for _ in range(plan.duels * 2)]
        pairs = [
            Pair(f"pair{number}", players[number * 2 : number * 2 + 2], plan.play, right, Random(random.random()))
            for number in range(plan.duels)
        ]
        connected = [asyncio.create_task(player.keep_connected()) for player in players]
        playing = {asyncio.create_task(pair.play_on(stopping)): pair.name for pair in pairs}
        try:
            yield players, pairs, slow
            stopping.set()
            done, late = await asyncio.wait(playing, timeout=END_S)
            slow |= {playing[task] for task in late}
            for task in done:
                task.result()
        finally:
            for task in (*playing, *connected):
                task.cancel()
            await asyncio.gather(*playing, *connected, return_exceptions=True)
            history.end()
