"""How quickly, and how well, a queue of seekers is paired: `python -m bench.matchmaking`, on a PostgreSQL of its own.

Each node is a process with the committer, the searches and the matchmaker of the server, without sockets. Ratings are
by chance (normal, 1500 ± 300), known to ± 50. Two ways to come:

- `queue`: all stand in the queue before the first node begins to pair. The best possible pairing is then known: of the
  ratings in their order, each with the next one.
- `stream`: so many a second begin to look, while the nodes pair.

Waits are from the answer to `find_opponent` (in `queue` from the moment in which pairing began) until the match is
committed and would be announced. Pairs a second are counted until 99 of 100 are made: the last ones are those at the
ends, who wait until what is acceptable is wide enough.
"""

import asyncio
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from random import Random, SystemRandom
from statistics import mean, quantiles
from typing import Any
from uuid import uuid4

import asyncpg
import click
from msgspec import Struct

from pairquiz_server import config, logs
from pairquiz_server.database import open_database, prepared_database
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.heartbeat import find_time
from pairquiz_server.engine.matchmaker import Matchmaker
from pairquiz_server.engine.search import Hearers
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import PlayersPaired
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.seekers import Seekers
from pairquiz_server.store.seen import SeenRows

AT_ONCE = 200
PATIENCE_S = 120.0
SEED = 20


class Work(Struct, frozen=True):
    """What one node has to do: its players are those whose number leaves `node` when divided by `nodes`."""

    url: str
    node: int
    nodes: int
    seekers: int
    per_s: float


class Report(Struct, frozen=True):
    """When each began to look, and each pair with when it was made (seconds of the machine's own clock)."""

    asked: dict[str, float]
    pairs: list[tuple[str, str, float]]


def ratings(count: int) -> list[float]:
    """Return the rating of each player, the same each time."""
    random = Random(SEED)  # noqa: S311 - the same each time
    return [random.gauss(1500, 300) for _ in range(count)]


async def prepare(url: str, count: int) -> None:
    """Make the schema, and write who plays and how well."""
    async with prepared_database(config.load(environ={}), url):
        pass
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE pairquiz.players, pairquiz.matches, pairquiz.seekers CASCADE")
    rows = [(f"player {number}", rating) for number, rating in enumerate(ratings(count))]
    await connection.executemany(
        "INSERT INTO pairquiz.players VALUES ($1, 'user', 'Player', NULL, 1)", [r[:1] for r in rows]
    )
    await connection.executemany("INSERT INTO pairquiz.ratings VALUES ($1, 0, $2, 50, 0.06, 50, 1)", rows)
    await connection.execute("ANALYZE pairquiz.players, pairquiz.ratings")
    await connection.close()


async def serve(work: Work) -> Report:
    """Be a node: let its players look, and pair until nobody is left."""
    asked: dict[str, float] = {}
    pairs: list[tuple[str, str, float]] = []
    async with open_database(config.load(environ={}), work.url) as database:
        node, questions = uuid4(), Questions(database)
        matches, nodes = Matches(database, questions), Nodes(database)
        clock = Clock(await find_time(nodes, matches))
        await nodes.enter(node, clock.now())

        def announce(decision: Decision, origin: object) -> None:
            if any(isinstance(event, PlayersPaired) for event in decision.events):
                first, second = (seat.player.id for seat in decision.match.seats)
                pairs.append((first, second, time.monotonic()))

        rules = GameRules(
            question_count=5, time_limit_s=30, scoring=Scoring(), waiting_ttl_ms=600_000, ready_ttl_ms=600_000
        )
        committer = Committer(matches, announce, pace_s=0.005, node=node)
        seen = Seen(SeenRows(database).find_last, committer.cached)
        draws = Draws(questions, seen, SystemRandom())
        hearers = Hearers(
            search=lambda player_id, news: None,
            end=lambda player_id, why: None,
            look_after=lambda player_id: None,
            present=lambda player_id: True,
        )
        seekers = Seekers(database)
        searches = Searches(seekers, draws.topic, clock, node, rules, hearers)
        matchmaker = Matchmaker(seekers, searches, draws.topic, committer, clock, node, rules)

        async def look(number: int) -> None:
            player = Player(f"player {number}", PlayerKind.USER, "Player")
            await searches.find(player, topic="General")
            asked[player.id] = time.monotonic()

        mine = range(work.node, work.seekers, work.nodes)
        running = [asyncio.create_task(committer.run())]
        if not work.per_s:
            for first in range(0, len(mine), AT_ONCE):
                await asyncio.gather(*map(look, mine[first : first + AT_ONCE]))
        click.echo("ready")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        began = time.monotonic()
        if not work.per_s:
            asked = dict.fromkeys(asked, began)
        running.append(asyncio.create_task(matchmaker.run()))
        if work.per_s:
            coming = []
            for place, number in enumerate(mine):
                await asyncio.sleep(max(began + place * work.nodes / work.per_s - time.monotonic(), 0))
                coming.append(asyncio.create_task(look(number)))
            await asyncio.gather(*coming)
        async with asyncio.timeout(PATIENCE_S):
            while await database.fetchval("SELECT count(*) > 1 FROM pairquiz.seekers"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        matchmaker.stop()
        committer.stop()
        await asyncio.gather(*running)
    return Report(asked, pairs)


async def measure(url: str, seekers: int, nodes: int, per_s: float) -> dict[str, float]:
    """Let so many nodes pair so many seekers, and say how it went."""
    await prepare(url, seekers)
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.matchmaking", "--node",
            json.dumps([url, node, nodes, seekers, per_s]),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
        )
        for node in range(nodes)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None
        while (line := await child.stdout.readline()).strip() != b"ready":
            if not line:
                raise click.ClickException("a node ended before it was ready: its own words are above")
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
    reports = []
    for child in children:
        out, _ = await child.communicate()
        reports.append(json.loads(out.splitlines()[-1]))
    return summary(reports, ratings(seekers))


def summary(reports: list[dict[str, Any]], rated: list[float]) -> dict[str, float]:
    """Put the reports of all nodes together."""
    asked: dict[str, float] = {}
    pairs: list[tuple[str, str, float]] = []
    for report in reports:
        asked |= report["asked"]
        pairs += [tuple(pair) for pair in report["pairs"]]
    seen = [player for first, second, _ in pairs for player in (first, second)]
    assert len(seen) == len(set(seen)), "somebody was paired twice"
    waits = sorted(max(at - asked[player], 0.0) for *players, at in pairs for player in players)
    times = sorted(at for *_, at in pairs)
    most = times[: max(len(times) * 99 // 100, 1)]
    hundredths = quantiles(waits, n=100)
    rating_of = {f"player {number}": rating for number, rating in enumerate(rated)}
    ordered = sorted(rating_of[player] for player in seen)
    best = [after - before for place, (before, after) in enumerate(pairwise(ordered)) if place % 2 == 0]
    return {
        "paired": len(pairs),
        "pairs_a_second": len(most) / (most[-1] - min(asked.values())),
        "wait_p50_s": hundredths[49],
        "wait_p99_s": hundredths[98],
        "difference": mean(abs(rating_of[first] - rating_of[second]) for first, second, _ in pairs),
        "best_difference": mean(best),
    }


@click.command()
@click.option("--seekers", type=click.IntRange(2, 100_000), default=10_000, show_default=True)
@click.option(
    "--per-s", type=float, default=500.0, show_default=True, help="How many a second begin to look, in `stream`."
)
@click.option("--node", help="Used by itself: be a node.")
def main(seekers: int, per_s: float, node: str | None) -> None:
    """Measure how a queue of seekers is paired, on one node and on two."""
    logs.configure(level="warning", style="json", socketio=False, engineio=False)
    if node is not None:
        report = asyncio.run(serve(Work(*json.loads(node))))
        click.echo(json.dumps({"asked": report.asked, "pairs": report.pairs}))
        return
    click.echo("| came as | nodes | pairs | pairs/s | wait p50 | wait p99 | mean difference | best possible |")
    click.echo("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="pairquiz-bench-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres.join(Path(folder) / "data") as postgres:
            for name, rate in (("queue", 0.0), ("stream", per_s)):
                for nodes in (1, 2):
                    found = asyncio.run(measure(postgres.dsn, seekers, nodes, rate))
                    click.echo(
                        f"| {name} | {nodes} | {found['paired']:.0f} | {found['pairs_a_second']:.0f} "
                        f"| {found['wait_p50_s'] * 1000:.0f} ms | {found['wait_p99_s'] * 1000:.0f} ms "
                        f"| {found['difference']:.2f} | {found['best_difference']:.2f} |"
                    )


if __name__ == "__main__":
    main()
