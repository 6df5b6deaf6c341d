"""What is measured. Each scenario is one round: every server once, in turns, each started anew."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import machine, nodes
from bench.players import Run, loading, play
from bench.restart import first_answer_s
from bench.servers import EPOLL, NODE, NODE_PG, OURS, PYTHON, Contest

PAIRS = 500
RATE = 1500  # answers a second
QUESTIONS = 20
AWAY_S = 3.0  # longer than a silence that may be overlooked
SETTLE_S = 2.0  # before memory is read: what the handshakes left behind has gone


@dataclass(frozen=True)
class Effort:
    """How much is done in a round."""

    pairs: int = 500
    seconds: float = 3.0
    warm: float = 1.0
    connections: int = 5000
    scale: tuple[int, ...] = (10, 100, 1000, 5000)
    scale_rate: int = 1000
    loads: tuple[int, ...] = (500, 1500, 3000, 6000, 12000)
    loaded: tuple[str, ...] = (OURS, NODE, NODE_PG, EPOLL)
    peers: tuple[str, ...] = (OURS, NODE, NODE_PG, EPOLL, PYTHON)
    live_matches: int = 10_000


QUICK = Effort(
    pairs=200,
    seconds=2.0,
    warm=0.5,
    connections=2000,
    scale=(10, 100, 1000),
    loads=(500, 3000),
    loaded=(OURS, NODE),
    peers=(OURS, NODE, NODE_PG, EPOLL),
)

# What was measured, of whom: (server, measure, value).
Figure = tuple[str, str, float]


def saturation(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """One answer a player under way: how many a second, and what each costs."""
    for name in effort.peers:
        yield from _played(contest, effort, name, pairs=effort.pairs, questions=QUESTIONS)


def rate(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """A moderate rate, as it is on a good evening: cost and latency."""
    for name in (OURS, NODE, NODE_PG, EPOLL):
        yield from _played(contest, effort, name, pairs=PAIRS, questions=QUESTIONS, rate=RATE)


def connections(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """Connect as browsers do (they offer deflate), and stay idle."""
    for name in (OURS, NODE):
        with contest.server(name) as server:
            time.sleep(SETTLE_S / 2)
            before = machine.resident_kb(server.pid)
            with loading(server.port, contest.cores.rest, connections=effort.connections, deflate=1) as load:
                connected = load.phase("connected")
                time.sleep(SETTLE_S)
                after = machine.resident_kb(server.pid)
            yield name, "kb_a_connection", (after - before) / effort.connections
            yield name, "connects_per_s", effort.connections / connected["seconds"]


def scaling(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """The same rate in all, by few pairs and by many; C shows how much of that is the kernel's and the caches'."""
    for pairs in effort.scale:
        options = {"pairs": pairs, "questions": QUESTIONS, "rate": effort.scale_rate}
        for name in (OURS, EPOLL):
            with contest.server(name) as server:
                run = play(server, contest.cores, warm=effort.warm, seconds=effort.seconds, **options)
            yield name, f"server_us_{pairs}", run.server_us
            yield name, f"kernel_us_{pairs}", run.kernel_us
            yield name, f"answers_per_s_{pairs}", run.answers_per_s
            if name == OURS:
                yield name, f"postgres_us_{pairs}", run.postgres_us
                yield name, f"p99_ms_{pairs}", run.p99_ms
                yield name, f"delayed_{pairs}", run.delayed


def duels(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """Whole duels: create, join, start, five answers each, results."""
    for name in (OURS, NODE):
        yield from _played(contest, effort, name, pairs=effort.pairs, questions=5)


def restart(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """A start with many live matches in the database, soon after a crash and when nobody has served for a while."""
    yield OURS, "first_answer_s", first_answer_s(contest, effort.live_matches, away_s=0)
    yield OURS, "first_answer_later_s", first_answer_s(contest, effort.live_matches, away_s=AWAY_S)


def loads(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """CPU and latency against load, for the plot."""
    for per_s in effort.loads:
        for name in effort.loaded:
            with contest.server(name) as server:
                run = play(
                    server, contest.cores, pairs=effort.pairs, questions=QUESTIONS, rate=per_s, warm=effort.warm,
                    seconds=effort.seconds,
                )  # fmt: skip
            yield name, f"server_us_{per_s}", run.server_us
            yield name, f"p99_ms_{per_s}", run.p99_ms


def several(contest: Contest, effort: Effort) -> Iterator[Figure]:
    """One, two and four nodes, by the same load for each of them."""
    yield from nodes.measured(contest, effort.warm, effort.seconds)


SCENARIOS: dict[str, Callable[[Contest, Effort], Iterator[Figure]]] = {
    "saturation": saturation,
    "rate": rate,
    "connections": connections,
    "scaling": scaling,
    "duels": duels,
    "restart": restart,
    "loads": loads,
    "nodes": several,
}


# What a quick run leaves out, if it is not named: it takes a minute to make 10,000 matches, or to start so many nodes.
SLOW = ("restart", "nodes")
# What only every other round measures: no goal is about it.
SPARSE = ("loads",)
SPARSE_EVERY = 2


def _played(contest: Contest, effort: Effort, name: str, **options: float) -> Iterator[Figure]:
    with contest.server(name) as server:
        run = play(server, contest.cores, warm=effort.warm, seconds=effort.seconds, **options)
    for measure, value in _measures(run).items():
        yield name, measure, value


def _measures(run: Run) -> dict[str, float]:
    return {
        "answers_per_s": run.answers_per_s,
        "duels_per_s": run.duels_per_s,
        "server_us": run.server_us,
        "kernel_us": run.kernel_us,
        "postgres_us": run.postgres_us,
        "total_us": run.total_us,
        "load_us": run.load_us,
        "p50_ms": run.p50_ms,
        "p99_ms": run.p99_ms,
        "refused": run.refused,
        "delayed": run.delayed,
        "busy": run.answers_per_s * run.server_us / 1e6,
        "others": run.others,
        "rest_busy": run.rest_busy,
    }
