"""One run from the start of PostgreSQL to the verdict."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.chaos import faults, ledger, official
from tests.chaos.finding import NEVER_ENDED, Finding
from tests.chaos.history import History
from tests.chaos.pair import HABITS, Pair, Play, right_options
from tests.chaos.player import Player, World
from tests.chaos.processes import Postgres, Server, Valkey
from tests.chaos.proxy import Connect, Proxy
from tests.chaos.verdict import judge
from tests.proxies import Balancer

WAIT_TTL_S = 30
WRITER = b"plan_cache_mode"
"""What the committer says to PostgreSQL when it connects: by this its connection is known from those for reads."""
MEND_S = 12.0
"""With several servers and a Redis that is hurt, players may miss something; so soon they must be told after all."""
ENVIRON = {
    "PAIRQUIZ_SERVER__PING_INTERVAL_S": "2",
    "PAIRQUIZ_SERVER__PING_TIMEOUT_S": "3",
    "PAIRQUIZ_GAME__WAITING_TTL_S": str(WAIT_TTL_S),
    "PAIRQUIZ_GAME__READY_TTL_S": str(WAIT_TTL_S),
}


@dataclass(frozen=True)
class Plan:
    """What a run is. `harm` does the faults, and returns when it is over."""

    harm: Callable[[faults.System], Awaitable[None]]
    seed: int
    pairs: int = 40
    official: int = 2
    """How many of the pairs play with the official client."""
    nodes: int = 1
    haste: float = 1.0
    """What the spans of all faults are multiplied by."""
    play: Play = field(default_factory=Play)
    end_s: float = 90.0
    """How long after the last fault all matches may take to end."""
    bound_ms: int = 5000
    """How long after its time a match may be live at the very end."""
    balancer: Balancer | None = None
    """What stands before the servers; without it players come to any of them by its own address."""
    demand: Callable[[ledger.Ledger], Iterable[Finding]] = lambda stored: ()
    """What else the database has to hold at the end."""


def short_plan(seed: int, *, nodes: int) -> Plan:
    """Return the run of CI: each kind of fault twice, little time for each, and matches that are soon over."""

    async def harm(system: faults.System) -> None:
        await faults.hurt_each(system, 2, rest_s=(0.05, 0.2))

    habits = {habit: weight for habit, weight in HABITS.items() if habit != "sleeper"}
    play = Play(question_counts=(3, 5), think_s=(0.02, 0.4), habits=habits)
    return Plan(harm, seed, pairs=8, official=0, nodes=nodes, haste=0.3, play=play, end_s=30.0)


@dataclass
class Outcome:
    """What came of a run. `facts` are for the report; `folder` holds logs and history."""

    history: History
    findings: list[Finding]
    facts: list[str]
    folder: Path


async def run(plan: Plan, folder: Path) -> Outcome:
    """Carry out a run; `folder` is for what it leaves. The database itself is thrown away."""
    random = Random(plan.seed)
    history = History()
    began = time.monotonic()
    client = _open_folder()
    without = await official.install(client) if plan.official else "nobody asked for them"
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, client, ignore_errors=True)
        system = await stack.enter_async_context(_system(plan, folder, history, random))
        urls = await _urls(stack, plan, system, folder)
        pairs, players, slow = await _play(plan, system, urls, None if without else client)
        await ledger.settle(system.postgres.dsn)
        stored = await ledger.read(system.postgres.dsn)
    mend_s = MEND_S if plan.nodes > 1 else 0.0
    findings = judge(history, stored, bound_ms=plan.bound_ms, mend_s=mend_s)
    findings += plan.demand(stored)
    findings += [Finding(NEVER_ENDED, None, text) for text in slow]
    findings += [Finding("complaint", None, text) for player in players for text in player.complaints]
    findings += [Finding("harness", None, text) for text in system.failures]
    for number, node in enumerate(system.nodes):
        findings += [Finding("ended unasked", None, f"server {number}: {text}") for text in node.server.unasked]
        findings += [
            Finding("traceback", None, f"server {number}: {line}") for line in tracebacks(node.server.log_file)
        ]
    history.dump(folder)
    found = sum(1 for match in stored.matches.values() if match.origin == "search")
    rounds = sum(1 for match in stored.matches.values() if match.in_rounds)
    ended = sum(1 for match in stored.matches.values() if match.status == "completed")
    facts = [
        f"seed {plan.seed}, {plan.nodes} server(s), {plan.pairs} pairs, {time.monotonic() - began:.0f} s",
        f"{len(stored.matches)} matches, {ended} of them completed, {found} of two who searched, {rounds} in rounds, "
        f"{sum(len(match.answers) for match in stored.matches.values())} answers",
        f"official clients: {f'none, because {without}' if without else f'{plan.official} pairs'}",
        f"server starts: {', '.join(str(node.server.starts) for node in system.nodes)}",
        f"played at tables: {sum(pair.matches for pair in pairs)}; what it left is in {folder}",
    ]
    return Outcome(history, findings, facts, folder)


async def _urls(stack: AsyncExitStack, plan: Plan, system: faults.System, folder: Path) -> list[str]:
    """Return where players come in."""
    if plan.balancer is None:
        return [f"http://127.0.0.1:{node.front.port}" for node in system.nodes]
    place = folder / "balancer"
    place.mkdir()
    ports = [node.server.port for node in system.nodes]
    return [await stack.enter_async_context(plan.balancer(place, ports))]


async def _play(
    plan: Plan, system: faults.System, urls: list[str], client: Path | None
) -> tuple[list[Pair], list[Player], list[str]]:
    """Let everybody play while the system is hurt; return who played, and who did not come to an end."""
    right = right_options()
    stopping = asyncio.Event()
    connector = TCPConnector(limit=0, force_close=True)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as session:
        world = World(urls, session, system.history)
        players: list[Player] = []
        for number in range(plan.pairs * 2):
            chance = Random(system.random.random())
            if client is not None and number < plan.official * 2:
                players.append(official.OfficialPlayer(world, chance, client))
            else:
                players.append(Player(world, chance))
        pairs = [
            Pair(
                f"pair{number}", players[number * 2 : number * 2 + 2], plan.play, right, Random(system.random.random())
            )
            for number in range(plan.pairs)
        ]
        async with _background(player.keep_connected() for player in players):
            playing = {asyncio.create_task(pair.play_on(stopping)): pair for pair in pairs}
            try:
                await plan.harm(system)
                await faults.heal(system)
                stopping.set()
                done, late = await asyncio.wait(playing, timeout=plan.end_s)
            finally:
                for task in playing:
                    task.cancel()
            slow = [
                f"the players of {playing[task].name} do not come to an end: {playing[task].stage}" for task in late
            ]
            slow += [f"{playing[task].name}: {task.exception()!r}" for task in done if task.exception() is not None]
            await asyncio.gather(*playing, return_exceptions=True)
            system.history.end()
    return pairs, players, slow


@asynccontextmanager
async def _system(plan: Plan, folder: Path, history: History, random: Random) -> AsyncIterator[faults.System]:
    """Start everything, and stop it at the end, whatever happens."""
    data = _open_folder()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        postgres = await asyncio.to_thread(Postgres, data / "data")
        stack.callback(postgres.leave)
        valkey = Valkey(folder / "valkey.log") if plan.nodes > 1 else None
        if valkey is not None:
            await stack.enter_async_context(_background([valkey.keep_running()]))
            await valkey.ready.wait()
        nodes = [await _node(stack, number, postgres, valkey, folder) for number in range(plan.nodes)]
        for node in nodes:
            await node.server.ready.wait()
        system = faults.System(nodes, postgres, valkey, history, random, plan.haste)
        yield system
        await faults.heal(system)


async def _node(
    stack: AsyncExitStack, number: int, postgres: Postgres, valkey: Valkey | None, folder: Path
) -> faults.Node:
    back = await _proxy(stack, postgres.connect, mark=WRITER)
    environ = {
        **ENVIRON,
        "DATABASE_URL": f"postgresql://pairquiz@127.0.0.1:{back.port}/pairquiz?sslmode=disable",
        "PAIRQUIZ_SERVER__REGION": f"node{number}",
    }
    relay = None
    if valkey is not None:
        relay = await _proxy(stack, valkey.connect)
        environ["REDIS_URL"] = f"redis://127.0.0.1:{relay.port}"
    server = Server(environ, folder / f"server{number}.log")
    front = await _proxy(stack, server.connect)
    await stack.enter_async_context(_background([server.keep_running()]))
    return faults.Node(server, front, back, relay)


async def _proxy(stack: AsyncExitStack, connect: Connect, *, mark: bytes | None = None) -> Proxy:
    proxy = Proxy(connect, mark=mark)
    await proxy.start()
    stack.push_async_callback(proxy.close)
    return proxy


@asynccontextmanager
async def _background(works: Iterable[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Let works go on beside what is within, and end them after it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def _open_folder() -> Path:
    """Make a folder that PostgreSQL's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-chaos-"))
    folder.chmod(0o755)
    return folder


def tracebacks(log_file: Path) -> Iterator[str]:
    """Yield the beginnings of the log lines that hold a traceback; asyncpg's own of a lost database are let pass."""
    with log_file.open(errors="replace") as log:
        for line in log:
            if "Traceback" in line and '"logger": "asyncpg.pool"' not in line:
                yield line[:300].strip()
