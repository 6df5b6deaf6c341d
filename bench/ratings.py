"""What ranks, histories and ratings cost where there are many:  .venv/bin/python -m bench.ratings [--players 1000000]

It makes a PostgreSQL of its own, fills it, asks it through the server's own code, and prints what it took.
"""

import asyncio
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import click

from bench import machine
from pairquiz_server import config
from pairquiz_server.database import open_database, prepared_database
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.leaderboards import Leaderboards
from pairquiz_server.engine.rater import Rater
from pairquiz_server.rules.fairness import Worth
from pairquiz_server.rules.weeks import week_of
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.pool import Database
from pairquiz_server.store.ratings import RatingRows
from pairquiz_server.store.results import Results
from pairquiz_server.store.standings import BY_RATING, Board, Standings

TIMES = 200
OLDEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
PLAYERS = """
    INSERT INTO pairquiz.players (id, kind, display_name, created_at)
    SELECT 'p' || n, 'user', 'Player ' || n, {now} FROM generate_series(1, {players}) AS n
"""
RATINGS = """
    INSERT INTO pairquiz.ratings
    SELECT 'p' || n, topic, greatest(100, 1500 + 300 * sqrt(-2 * ln(random() + 1e-12)) * cos(6.28318 * random())),
        45 + 60 * random(), 0.06, 20, {now}
    FROM generate_series(1, {players}) AS n, (VALUES (0), (1)) AS t (topic)
"""
POINTS = """
    INSERT INTO pairquiz.week_points
    SELECT {week}, 0, 'p' || n, (random() * random() * 300)::integer, 40 FROM generate_series(1, {players}) AS n
"""
MATCH = """
    INSERT INTO pairquiz.matches (id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus,
        join_code, player1_id, player2_id, player1_score, player2_score, created_at, due_at, started_at, deadline_at,
        ended_at, end_reason, origin)
    SELECT gen_random_uuid(), 13, 'completed', 1, 5, 30, 100, 50, '', one, two, (random() * 600)::integer,
        (random() * 600)::integer, {at}, {at}, {at}, {at}, {at} + n, 'all_answered', '{origin}'
    FROM generate_series(1, {count}) AS n, LATERAL (SELECT {one} AS one, {two} AS two) AS who
"""


async def fill(url: str, players: int, now: int) -> None:
    """Let players be rated over all and in a topic, as a bell curve, and have points of the week."""
    connection = await asyncpg.connect(url)
    for statement in (PLAYERS, RATINGS, POINTS):
        filled = statement.format(players=players, now=now, week=week_of(now))
        await connection.execute(filled, timeout=1800)
    tables = "pairquiz.players, pairquiz.ratings, pairquiz.week_points, pairquiz.rank_counts"
    await connection.execute(f"VACUUM ANALYZE {tables}", timeout=1800)
    await connection.close()


async def show(name: str, ask: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again, and print how long it took."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    centiles = statistics.quantiles(took, n=100)
    click.echo(f"{name:48} p50 {centiles[49]:7.2f} ms   p99 {centiles[98]:7.2f} ms")


async def show_lists(database: Database, players: int, clock: Clock) -> None:
    """Print what a rank, its neighbours, the best, and a whole answer take."""
    standings = Standings(database)
    leaderboards = Leaderboards(standings, clock)
    numbers = itertools.count(1, 7919)
    for of, board, most in (("rating", Board(0, BY_RATING), 2500), ("the week", Board(0, week_of(clock.now())), 300)):
        weekly = board.week != BY_RATING

        def rank(board: Board = board, most: int = most) -> Awaitable[object]:
            return standings.ranks(board, [next(numbers) % most])

        def neighbours(board: Board = board, most: int = most) -> Awaitable[object]:
            return standings.around(f"p{next(numbers) % players}", board, next(numbers) % most)

        def best(board: Board = board) -> Awaitable[object]:
            return standings.top(board)

        def answer(weekly: bool = weekly) -> Awaitable[object]:
            asks = f"p{next(numbers) % players}"
            return leaderboards.show("all", weekly=weekly, limit=None, player_id=asks)

        await show(f"the rank by {of}", rank)
        await show(f"the neighbours by {of}", neighbours)
        await show(f"the best hundred by {of}", best)
        await show(f"a whole answer by {of}", answer)


async def show_history(database: Database, url: str, matches: int, now: int) -> None:
    """Print what looking back takes for somebody with a very long history."""
    connection = await asyncpg.connect(url)
    one, two = "'p1'::text", "'p' || (n % 1000 + 2)"
    insert = MATCH.format(at=now - matches, origin="invitation", count=matches, one=one, two=two)
    await connection.execute(insert, timeout=1800)
    await connection.execute(
        "INSERT INTO pairquiz.results (match_id, player, player_id, opponent_id, topic_id, outcome, ended_at, weight) "
        "SELECT id, 1, player1_id, player2_id, topic_id, 'lost', ended_at, 0 FROM pairquiz.matches "
        "WHERE origin = 'invitation'",
        timeout=1800,
    )
    await connection.execute("VACUUM ANALYZE pairquiz.results, pairquiz.matches", timeout=1800)
    await connection.close()
    results = Results(database)
    for name, at in (("beginning", now + 1), ("middle", now - matches // 2), ("end", now - matches + 50)):

        def page(at: int = at) -> Awaitable[object]:
            return results.page("p1", at, OLDEST, 21)

        await show(f"a page at the {name} of {matches}", page)
    await show("won, lost and drawn by topic", lambda: results.tally("p1"))
    await show("head to head", lambda: results.against("p1", "p5"))


async def show_backlog(database: Database, url: str, matches: int, players: int, clock: Clock) -> None:
    """Print how fast matches are rated, and what that costs PostgreSQL and the server."""
    connection = await asyncpg.connect(url)
    one, two = f"'p' || (1 + (n * 7919) % {players})", f"'p' || (1 + (n * 7919 + 1) % {players})"
    insert = MATCH.format(at=clock.now() - matches, origin="search", count=matches, one=one, two=two)
    await connection.execute(insert, timeout=1800)
    await connection.execute("ANALYZE pairquiz.matches")
    await connection.close()
    async with database.connection() as reader:
        postgres = reader.get_server_pid()
    rater = Rater(RatingRows(database), clock, uuid4(), Worth(), lambda rated: None)
    before, own, began = machine.cpu(postgres), time.process_time(), time.perf_counter()
    done = await rater.work()
    took, theirs = time.perf_counter() - began, (machine.cpu(postgres) - before).whole_s
    own = time.process_time() - own
    click.echo(
        f"{done} matches rated in {took:.1f} s: {done / took:.0f} a second, at a load of {machine.load_average():.1f}"
    )
    click.echo(f"CPU a match: PostgreSQL {theirs / done * 1000:.2f} ms, server {own / done * 1000:.2f} ms")


async def measure(url: str, players: int, matches: int, history: int) -> None:
    """Fill a database, and print everything."""
    settings = config.load(environ={})
    clock = Clock(int(time.time() * 1000))
    async with prepared_database(settings, url):
        pass
    await fill(url, players, clock.now())
    async with open_database(settings, url) as database:
        await show_lists(database, players, clock)
        await show_backlog(database, url, matches, players, clock)
        await show_history(database, url, history, clock.now())


@click.command()
@click.option("--players", default=1_000_000, show_default=True, help="How many have a rating.")
@click.option("--matches", default=10_000, show_default=True, help="How many are rated.")
@click.option("--history", default=100_000, show_default=True, help="How many matches one player looks back on.")
def main(players: int, matches: int, history: int) -> None:
    """Measure ranks, histories and the rater, on a PostgreSQL made for it."""
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-ratings-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres.join(folder / "data") as embedded:
            asyncio.run(measure(embedded.dsn, players, matches, history))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
