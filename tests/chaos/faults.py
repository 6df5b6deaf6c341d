"""What is done to the system. A fault begins, lasts, and is healed before its function returns."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import asyncpg

from tests.chaos.history import Fault, History
from tests.chaos.processes import READY_S, Postgres, Program, Server, Valkey
from tests.chaos.proxy import Link, Proxy

FIRES_S = 1.5
"""How long a trap for the next statement waits before it is taken away."""


@dataclass
class Node:
    """A server, and what stands before it, before its database, and before its Redis where it has one."""

    server: Server
    front: Proxy
    back: Proxy
    relay: Proxy | None = None


@dataclass
class System:
    """All that can be hurt."""

    nodes: Sequence[Node]
    postgres: Postgres
    valkey: Valkey | None
    history: History
    random: Random
    haste: float = 1.0
    """What all spans are multiplied by."""
    failures: list[str] = field(default_factory=list)

    def span(self, least: float, most: float) -> float:
        """Return a span of seconds that is short more often than long."""
        return self.haste * (least + (most - least) * self.random.random() ** 3)


OURS = {"application_name": "chaos"}
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND application_name <> 'chaos'"
)

Hurt = Callable[[System, Fault], Awaitable[None]]


def _node(system: System, fault: Fault) -> Node:
    fault.node = system.random.randrange(len(system.nodes))
    return system.nodes[fault.node]


async def kill(system: System, fault: Fault) -> None:
    """End a server as a crash or a lack of memory does."""
    await end(_node(system, fault).server, signal.SIGKILL, fault)


async def restart(system: System, fault: Fault) -> None:
    """Ask a server to stop, as a deployment does."""
    await end(_node(system, fault).server, signal.SIGTERM, fault)


async def kill_while_starting(system: System, fault: Fault) -> None:
    """Kill a server, and once more before it is up."""
    server = _node(system, fault).server
    server.kill(signal.SIGKILL)
    await asyncio.sleep(system.random.uniform(0.2, 0.9))
    await end(server, signal.SIGKILL, fault)


async def end(program: Program, number: signal.Signals, fault: Fault) -> None:
    """End a program by a signal, and wait until it was started again and serves."""
    program.kill(number)
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            await program.ready.wait()
            fault.ready_at = time.monotonic()


async def stop_server(system: System, fault: Fault) -> None:
    """Stop a server for a while, as a machine does that has no time for it."""
    await _pause(system, _node(system, fault).server, fault, 8.0)


async def _pause(system: System, program: Program, fault: Fault, most: float) -> None:
    span_s = system.span(0.2, most)
    fault.detail = f"{span_s:.1f} s"
    program.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(span_s)
    finally:
        program.signal(signal.SIGCONT)


async def crash_database(system: System, fault: Fault) -> None:
    """End PostgreSQL at once and start it again."""
    await system.postgres.crash()


async def stop_database(system: System, fault: Fault) -> None:
    """Stop all processes of PostgreSQL for a while: connections live, and nobody answers."""
    span_s = system.span(0.5, 6.0)
    fault.detail = f"{span_s:.1f} s"
    processes = system.postgres.pause()
    try:
        await asyncio.sleep(span_s)
    finally:
        system.postgres.resume(processes)


async def terminate_backends(system: System, fault: Fault) -> None:
    """End every session of PostgreSQL, as an administrator or a failover does."""
    await _as_admin(system, TERMINATE)


async def forbid_writes(system: System, fault: Fault) -> None:
    """Make the database read-only for a while, as a primary that has been demoted is."""
    span_s = system.span(0.3, 3.0)
    fault.detail = f"{span_s:.1f} s"
    await _as_admin(system, "ALTER SYSTEM SET default_transaction_read_only = on")
    await _as_admin(system, "SELECT pg_reload_conf()")
    try:
        await asyncio.sleep(span_s)
    finally:
        await allow_writes(system)


async def allow_writes(system: System) -> None:
    """Heal `forbid_writes`, also where PostgreSQL was restarted meanwhile."""
    await _as_admin(system, "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only")
    await _as_admin(system, "SELECT pg_reload_conf()")


async def exhaust_connections(system: System, fault: Fault) -> None:
    """Take all connections that PostgreSQL has, the servers' own too, and keep them for a while."""
    span_s = system.span(0.3, 3.0)
    fault.detail = f"{span_s:.1f} s"
    over_at = time.monotonic() + span_s
    taken: list[asyncpg.Connection] = []
    try:
        while time.monotonic() < over_at:
            try:
                taken.append(await asyncpg.connect(system.postgres.dsn, timeout=2, server_settings=OURS))
            except (asyncpg.PostgresError, OSError, TimeoutError):
                if not taken:
                    return  # it is down
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                    await taken[0].execute(TERMINATE, timeout=2)
                await asyncio.sleep(0.02)
    finally:
        for connection in taken:
            connection.terminate()


async def cut_database(system: System, fault: Fault) -> None:
    """Cut every connection of a server to its database."""
    for link in list(_node(system, fault).back.links):
        link.cut()


async def cut_database_for_a_while(system: System, fault: Fault) -> None:
    """Cut them, and let nobody connect for a while."""
    back = _node(system, fault).back
    span_s = system.span(0.2, 4.0)
    fault.detail = f"{span_s:.1f} s"
    back.refusing = True
    for link in list(back.links):
        link.cut()
    try:
        await asyncio.sleep(span_s)
    finally:
        back.refusing = False


async def lose_commit_answer(system: System, fault: Fault) -> None:
    """Let the committer's next statement be carried out, and cut when its answer is there, before it is passed on."""
    await _trap(_node(system, fault).back, fault, "on_answer")


async def cut_after_request(system: System, fault: Fault) -> None:
    """Cut when the committer's next bytes have gone to the database: who knows what it makes of them."""
    await _trap(_node(system, fault).back, fault, "on_request")


async def _trap(back: Proxy, fault: Fault, hook: str) -> None:
    marked = [link for link in back.links if link.marked]
    if not marked:
        fault.detail = "there was no writer"
        return
    fired = asyncio.Event()

    def spring(link: Link) -> None:
        link.cut()
        fired.set()

    for link in marked:
        setattr(link, hook, lambda link=link: spring(link))
    try:
        async with asyncio.timeout(FIRES_S):
            await fired.wait()
    except TimeoutError:
        fault.detail = "nothing came by"
        for link in marked:
            setattr(link, hook, None)


async def freeze_database(system: System, fault: Fault) -> None:
    """Hold back all bytes between a server and its database."""
    await _freeze(system, _node(system, fault).back, fault, 0.2, 6.0)


async def delay_database(system: System, fault: Fault) -> None:
    """Make the way to the database slow."""
    await _delay(system, _node(system, fault).back, fault, 0.2)


async def cut_players(system: System, fault: Fault) -> None:
    """Cut some players' connections with a reset."""
    for link in _some(system, fault):
        link.cut()


async def silence_players(system: System, fault: Fault) -> None:
    """Hold back all bytes of some players' connections for a while, and then go on, or cut."""
    links = _some(system, fault)
    span_s = system.span(0.2, 6.0)
    fault.detail += f", {span_s:.1f} s"
    for link in links:
        link.thawed.clear()
    await asyncio.sleep(span_s)
    for link in links:
        link.thawed.set()
        if system.random.random() < 0.5:
            link.cut()


async def lose_answers(system: System, fault: Fault) -> None:
    """Let some players' commands through and lose what they would hear, then cut."""
    links = _some(system, fault)
    for link in links:
        link.deaf = True
    await asyncio.sleep(system.span(0.1, 1.0))
    for link in links:
        link.cut()


async def delay_players(system: System, fault: Fault) -> None:
    """Make all players' lines slow."""
    await _delay(system, _node(system, fault).front, fault, 0.4)


async def kill_redis(system: System, fault: Fault) -> None:
    """Kill Redis; it comes back empty."""
    assert system.valkey is not None
    await end(system.valkey, signal.SIGKILL, fault)


async def stop_redis(system: System, fault: Fault) -> None:
    """Stop Redis for a while."""
    assert system.valkey is not None
    await _pause(system, system.valkey, fault, 7.0)


async def cut_redis(system: System, fault: Fault) -> None:
    """Cut a server's connections to Redis."""
    for link in list(_relay(system, fault).links):
        link.cut()


async def freeze_redis(system: System, fault: Fault) -> None:
    """Hold back all bytes between a server and Redis."""
    await _freeze(system, _relay(system, fault), fault, 0.2, 7.0)


async def deafen_redis(system: System, fault: Fault) -> None:
    """Lose for a while all that Redis says to a server, and then cut."""
    links = list(_relay(system, fault).links)
    for link in links:
        link.deaf = True
    await asyncio.sleep(system.span(0.1, 2.0))
    for link in links:
        link.cut()


def _relay(system: System, fault: Fault) -> Proxy:
    relay = _node(system, fault).relay
    assert relay is not None
    return relay


def _some(system: System, fault: Fault) -> list[Link]:
    links = list(_node(system, fault).front.links)
    chosen = [link for link in links if system.random.random() < system.random.choice((0.05, 0.3, 1.0))]
    fault.detail = f"{len(chosen)} of {len(links)}"
    return chosen


async def _freeze(system: System, proxy: Proxy, fault: Fault, least: float, most: float) -> None:
    span_s = system.span(least, most)
    fault.detail = f"{span_s:.1f} s"
    proxy.freeze()
    try:
        await asyncio.sleep(span_s)
    finally:
        proxy.thaw()


async def _delay(system: System, proxy: Proxy, fault: Fault, most: float) -> None:
    delay_s, span_s = system.random.uniform(0.01, most), system.span(0.3, 3.0)
    fault.detail = f"{delay_s * 1000:.0f} ms for {span_s:.1f} s"
    proxy.delay_s = delay_s
    try:
        await asyncio.sleep(span_s)
    finally:
        proxy.delay_s = 0.0


async def _as_admin(system: System, statements: str) -> None:
    """Carry out statements on PostgreSQL itself; it may be on its way up."""
    for attempt in range(100):
        try:
            admin = await asyncpg.connect(system.postgres.dsn, timeout=10, server_settings=OURS)
            try:
                for statement in statements.split("; "):
                    await admin.execute(statement)
            finally:
                admin.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
            if attempt == 99:
                raise
            await asyncio.sleep(0.1)
        else:
            return


KILLS: dict[Hurt, int] = {kill: 16, restart: 5, kill_while_starting: 2}
"""What ends our process, and how often in comparison."""

OTHERS: dict[Hurt, int] = {
    stop_server: 6,
    crash_database: 3,
    stop_database: 4,
    terminate_backends: 8,
    forbid_writes: 3,
    exhaust_connections: 3,
    cut_database: 10,
    cut_database_for_a_while: 3,
    lose_commit_answer: 14,
    cut_after_request: 10,
    freeze_database: 4,
    delay_database: 3,
    cut_players: 12,
    silence_players: 6,
    lose_answers: 8,
    delay_players: 3,
}

REDIS: dict[Hurt, int] = {kill_redis: 3, stop_redis: 2, cut_redis: 4, freeze_redis: 2, deafen_redis: 3}
"""What is done besides where there is a Redis."""

TOGETHER_SHARE = 0.12


def _kinds(system: System) -> dict[Hurt, int]:
    return {**KILLS, **OTHERS, **(REDIS if system.valkey is not None else {})}


async def hurt(system: System, kind: Hurt) -> None:
    """Do one fault, and write down when it began and ended."""
    fault = Fault(kind.__name__, time.monotonic())
    system.history.faults.append(fault)
    try:
        await kind(system, fault)
    except Exception as error:
        system.failures.append(f"{fault.kind}: {error!r}")
    fault.ended_at = time.monotonic()


async def hurt_on(system: System, until: float, *, rest_s: tuple[float, float], only: Sequence[str] = ()) -> None:
    """Do faults by chance until the monotonic clock says `until`: one at a time, and sometimes two together.

    `only` are the names of those to choose from, if not all.
    """
    kinds = {kind: weight for kind, weight in _kinds(system).items() if not only or kind.__name__ in only}
    while time.monotonic() < until:
        count = 2 if system.random.random() < TOGETHER_SHARE else 1
        chosen = system.random.choices(list(kinds), weights=list(kinds.values()), k=count)
        await asyncio.gather(*(hurt(system, kind) for kind in chosen))
        await asyncio.sleep(system.random.uniform(*rest_s))


async def hurt_each(system: System, times: int, *, rest_s: tuple[float, float]) -> None:
    """Do each kind of fault so many times, in an order by chance."""
    kinds = [*_kinds(system)] * times
    system.random.shuffle(kinds)
    for kind in kinds:
        await hurt(system, kind)
        await asyncio.sleep(system.random.uniform(*rest_s))


async def heal(system: System) -> None:
    """Take away what a fault may have left, and wait until every server serves."""
    for node in system.nodes:
        node.server.signal(signal.SIGCONT)
        for proxy in filter(None, (node.front, node.back, node.relay)):
            proxy.refusing = False
            proxy.delay_s = 0.0
            proxy.thaw()
    if system.valkey is not None:
        system.valkey.signal(signal.SIGCONT)
    await allow_writes(system)
    async with asyncio.timeout(READY_S):
        for node in system.nodes:
            await node.server.ready.wait()
