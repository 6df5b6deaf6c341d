"""Metrics are named as Prometheus asks for it, and nobody can make them grow."""

import contextlib
import secrets
from string import ascii_lowercase

from aiohttp import ClientSession
from prometheus_client import generate_latest

from pairquiz_server.counting import Counts, Distributions, Level, Levels
from pairquiz_server.metrics import Metrics
from tests.client import Client, Closed, connected, ready_match
from tests.conftest import Server, StartServer
from tests.monitoring.exposed import CLOSED, OPEN, Series, series
from tests.monitoring.promtool import promtool
from tests.web.answered import ask, request
from tests.web.hostile import BAD
from tests.web.test_exposition import exposed

COMMANDS = ("join_pair_quiz", "create_pair_quiz", "submit_answer", "resume_pair_quiz", "find_opponent")


def word() -> str:
    """A word that nobody has said before."""
    return "".join(secrets.choice(ascii_lowercase) for _ in range(12))


async def misbehave(url: str) -> None:
    """Say, wherever something may be said, what nobody has said before."""
    async with connected(url) as first, connected(url) as second:
        await ready_match(first, second)
        for player in (first, second):
            await player.ask(word(), {word(): word()})
            for command in COMMANDS:
                await player.ask(command, {word(): word(), "topic": word(), "session_id": word(), "join_code": word()})
    for frame in BAD.values():
        async with connected(url) as client:
            await _say(client, frame)
    async with ClientSession() as session:
        for method in ("GET", "POST", word().upper()):
            for path in (
                f"/{word()}",
                f"/api/{word()}",
                f"/api/pair-quiz/{word()}/",
                f"/socket.io/?EIO=4&transport={word()}",
            ):
                headers = {"Authorization": f"Bearer {word()}", "Origin": f"https://{word()}.example", word(): word()}
                async with session.request(method, url + path, headers=headers, json={word(): word()}):
                    pass
    for line in (f"{word()} / {word()}", f"GET {word()}", "\0"):
        with contextlib.suppress(EOFError, ConnectionError):
            await ask(url, request(line, f"{word()}: {word()}"))


async def _say(client: Client, frame: str | bytes) -> None:
    try:
        await (client.socket.send_bytes(frame) if isinstance(frame, bytes) else client.send_frame(frame))
        await client.ask("sync_clock", {"client_time": 1})
    except (Closed, ConnectionError):
        pass


def values(found: set[Series]) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for _, labels in found:
        for label, value in labels:
            told.setdefault(label, set()).add(value)
    return told


async def test_a_command_is_there_before_anybody_has_sent_one(server: Server) -> None:
    """Else an alert that compares something with all commands is silent where nobody can come in."""
    _, told = await exposed(server.url)
    commands = {dict(labels)["command"] for name, labels in series(told) if name == "pairquiz_commands_total"}
    assert commands == CLOSED["command"] - {"unknown"}


async def test_names_are_as_prometheus_asks_and_strangers_words_make_no_series(start_server: StartServer) -> None:
    server = await start_server(
        PAIRQUIZ_LIMITS__COMMANDS_PER_S="0",
        PAIRQUIZ_LIMITS__FAILED_JOINS_PER_MINUTE="0",
        PAIRQUIZ_LIMITS__FAILED_TOKENS_PER_MINUTE_PER_ADDRESS="0",
    )
    await misbehave(server.url)
    _, first = await exposed(server.url)
    assert promtool("check", "metrics", told=first) == (0, "")
    told = values(series(first))
    assert told.keys() <= CLOSED.keys() | OPEN
    assert {label: found - CLOSED[label] for label, found in told.items() if label in CLOSED} == {
        label: set() for label in told if label in CLOSED
    }
    await misbehave(server.url)
    _, second = await exposed(server.url)
    # Beside what agents ask of the database now and then.
    assert {one for one in series(second) - series(first) if "query" not in dict(one[1])} == set()


def test_what_is_not_counted_yet_has_such_a_name_too() -> None:
    metrics = Metrics()
    for one in vars(metrics).values():
        if isinstance(one, Counts):
            one.begin(["value"])
        elif isinstance(one, Distributions):
            one.observe("value", 1.0)
        elif isinstance(one, Level):
            one.read = lambda: 1.0
        elif isinstance(one, Levels):
            one.read = lambda: {"value": 1.0}
    assert promtool("check", "metrics", told=generate_latest(metrics.registry).decode()) == (0, "")


def test_there_are_never_more_series_than_a_small_prometheus_takes() -> None:
    """All there can ever be of one node, counted from above: each metric with all values of its label."""
    metrics = Metrics()
    most = 0
    for collector in vars(metrics).values():
        label = getattr(collector, "_label", None)
        lines = len(getattr(collector, "_bounds", ())) + 3 if hasattr(collector, "_bounds") else 1
        most += lines * (len(CLOSED[label]) if label else 1)
    assert most < 2000
