"""A run: the real server as a process, attackers, and neighbours who play on it; then, what is left of it."""

import asyncio
import re
import time
from contextlib import suppress
from pathlib import Path

import psutil
from aiohttp import ClientSession, TCPConnector
from msgspec import Struct

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.acceptance.server import Server
from tests.fuzz.attacker import Attacker, Tally
from tests.fuzz.frames import draw_corpus
from tests.fuzz.mutation import Mutator
from tests.fuzz.neighbour import Neighbours

WARM_AT = 0.2
WATCH_EVERY_S = 0.5
CALM_S = 60.0
METRICS_TOKEN = "a token of whoever watches the fuzzer"
ENVIRON = {
    "PAIRQUIZ_SERVER__PING_INTERVAL_S": "5",
    "PAIRQUIZ_SERVER__PING_TIMEOUT_S": "10",
    "PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1",
    "PAIRQUIZ_METRICS__TOKEN": METRICS_TOKEN,
    "PAIRQUIZ_GAME__WAITING_TTL_S": "20",
    "PAIRQUIZ_GAME__READY_TTL_S": "20",
    "PAIRQUIZ_LIMITS__FRAMES_PER_S": "0",
    "PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0",
    "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE": "0",
    "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE_PER_ADDRESS": "600",
    "PAIRQUIZ_LIMITS__ARRIVALS_PER_MINUTE_PER_ADDRESS": "0",
    "PAIRQUIZ_LIMITS__FAILED_TOKENS_PER_MINUTE_PER_ADDRESS": "0",
    "PAIRQUIZ_LOG__FORMAT": "json",
}
"""Silent sessions and matches that nobody joins end soon, and few limits by rate keep frames from what they are to try.

The neighbours have an address of their own, so that the limit of new matches is the attackers' alone.
"""
_METRIC = re.compile(
    r"^pairquiz_(players|connections|sockets\{transport=\"\w+\"\}|refusals_total\{code=\"(?:\w+)\"\}) ([0-9.e+]+)$",
    re.MULTILINE,
)
_PRESENT = ("players", "connections", 'sockets{transport="websocket"}', 'sockets{transport="polling"}')


class Plan(Struct, frozen=True):
    """What is done."""

    frames: int
    seed: int
    attackers: int = 32
    corpus: int = 1000


class Outcome(Struct):
    """What was seen."""

    plan: Plan
    frames: int = 0
    sessions: dict[str, int] = {}
    closed: dict[str, int] = {}
    stuck: list[str] = []
    seconds: float = 0.0
    rss_start: int = 0
    rss_warm: int = 0
    rss_end: int = 0
    matches: int = 0
    repeated: int = 0
    slowest_s: float = 0.0
    wrongs: list[str] = []
    left: dict[str, float] = {}
    refusals: dict[str, float] = {}
    log: str = ""


async def run(plan: Plan, folder: Path) -> Outcome:
    """Attack, and look afterwards."""
    corpus = await asyncio.to_thread(draw_corpus, plan.seed, polite=plan.corpus, wild=plan.corpus)
    with EmbeddedPostgres.join(folder / "data") as postgres:
        server = Server(postgres.dsn, folder / "server.log", ENVIRON)
        await server.start()
        try:
            return await _attack(server, plan, Mutator(corpus, plan.seed))
        finally:
            await server.kill()
            server.close()


async def _attack(server: Server, plan: Plan, mutator: Mutator) -> Outcome:
    outcome = Outcome(plan)
    process = psutil.Process(server.pid)
    tally = Tally(plan.frames)
    done = asyncio.Event()

    def told(session_id: str) -> None:
        mutator.session_id = session_id

    neighbours = Neighbours(server.url, told)
    playing = asyncio.create_task(neighbours.play(done))
    await neighbours.begun.wait()
    outcome.rss_start = outcome.rss_warm = process.memory_info().rss
    started_at = time.monotonic()
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        attacks = [
            asyncio.create_task(Attacker(session, server.url, mutator, tally, plan.seed + number).attack())
            for number in range(plan.attackers)
        ]
        warm = False
        while not all(attack.done() for attack in attacks):
            await asyncio.wait(attacks, timeout=WATCH_EVERY_S)
            if not warm and tally.frames >= WARM_AT * plan.frames:
                warm = True
                outcome.rss_warm = process.memory_info().rss
        await asyncio.gather(*attacks)
        outcome.seconds = time.monotonic() - started_at
        done.set()
        await playing
        outcome.left = await _calm(session, server.url)
        outcome.refusals = {
            name.split('"')[1]: value for name, value in (await _metrics(session, server.url)).items() if '"' in name
        }
    outcome.rss_end = process.memory_info().rss
    outcome.frames, outcome.sessions, outcome.closed = tally.frames, dict(tally.sessions), dict(tally.closed)
    outcome.stuck, outcome.matches = tally.stuck, neighbours.matches
    outcome.repeated = neighbours.repeated
    outcome.slowest_s, outcome.wrongs = neighbours.slowest_s, neighbours.wrongs
    outcome.log = server.log
    return outcome


async def _calm(session: ClientSession, url: str) -> dict[str, float]:
    """Wait until nobody is there any more, and return what is left after a minute."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CALM_S):
            while any((await _present(session, url)).values()):  # noqa: ASYNC110  # another process's
                await asyncio.sleep(WATCH_EVERY_S)
    return {name: count for name, count in (await _present(session, url)).items() if count}


async def _present(session: ClientSession, url: str) -> dict[str, float]:
    metrics = await _metrics(session, url)
    return {name: metrics[name] for name in _PRESENT}


async def _metrics(session: ClientSession, url: str) -> dict[str, float]:
    async with session.get(f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}) as response:
        assert response.status == 200, await response.text()
        return {name: float(value) for name, value in _METRIC.findall(await response.text())}
