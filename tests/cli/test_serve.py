"""`serve` from its first line to its exit code, and the other commands beside it."""

import asyncio
import gc
import json
import re
import signal
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from pairquiz_server import app, config
from pairquiz_server.cli.serve import COLLECT_AFTER, screen_of
from tests.cli.conftest import (
    COMMAND,
    PATIENCE_S,
    SECRET,
    Invoke,
    StartServe,
    clean_environment,
    postgres_runs,
    serving,
)
from tests.client import connected, started_match
from tests.ports import OwnPort

DEFAULTS = Path(__file__).resolve().parents[2] / "config.toml"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_operator_starts_reads_the_screen_and_stops(
    start_serve: StartServe, data_dir: Path, number: signal.Signals
) -> None:
    server = start_serve(PAIRQUIZ_SERVER__PAGE="none")
    assert len(server.screen.splitlines()) <= 24
    assert "no page is shown" in server.screen
    assert re.search(r"http://127\.0\.0\.1:[1-9]\d*\n", server.screen)
    assert '{topic: "General"}' in server.screen
    assert "anybody, as a guest" in server.screen
    assert str(data_dir) in server.screen
    assert server.get("/healthz") is not None
    assert postgres_runs(data_dir)

    assert server.stop(number) == 0
    assert not postgres_runs(data_dir)
    events = [json.loads(line)["event"] for line in server.errors]
    assert events[-3:] == ["server_started", "server_stopping", "server_stopped"]


def test_the_screen_says_where_to_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def screen(**environ: str) -> str:
        return screen_of(config.load(environ=environ), "http://127.0.0.1:8000")

    (tmp_path / "index.html").touch()
    assert "open http://127.0.0.1:8000 in two windows" in screen(PAIRQUIZ_SERVER__PAGE=str(tmp_path))
    monkeypatch.setattr("pairquiz_server.config.folders._PACKAGE", tmp_path / "pairquiz_server")
    assert "scripts/page" in screen()
    assert "no page is shown" in screen(JWT_SECRET=SECRET)


def test_a_server_looks_for_garbage_rarely_and_never_among_what_its_imports_have_made(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[tuple[int, int, int], int]] = []

    async def served(*_: object) -> None:
        found.append((gc.get_threshold(), gc.get_freeze_count()))

    monkeypatch.setattr(app, "serve", served)
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)  # another test may have served in this process already
    try:
        assert invoke("serve", "--port", "0", DATABASE_URL="postgresql://somewhere/").exit_code == 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
    ((threshold, frozen),) = found
    assert threshold == COLLECT_AFTER != (700, 10, 10)
    assert frozen > 10_000


def test_a_server_stopped_while_it_starts_leaves_no_postgresql(open_folder: Path) -> None:
    folder = open_folder / "early"
    with serving("--port", "0", "--data-dir", folder) as server:
        lock = folder / "postgres" / "postmaster.pid"
        while not lock.exists():
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(0.01)
        server.process.terminate()
        assert server.exit_code() in (0, 128 + signal.SIGTERM)
    assert not postgres_runs(folder)
    assert not any("Traceback" in line for line in server.errors)


def test_the_screen_names_what_is_configured(start_serve: StartServe, database_url: str) -> None:
    server = start_serve("--host", "0.0.0.0", DATABASE_URL=database_url, JWT_SECRET=SECRET)
    assert server.url.startswith("http://localhost:")
    assert "whoever has a token of your issuer" in server.screen
    assert "database    yours" in server.screen
    assert "postgresql://" not in server.screen
    assert server.get("/healthz") is not None


def test_the_platform_names_the_port_and_a_redis_that_is_away_is_only_warned_of(database_url: str) -> None:
    with (
        closing(OwnPort()) as port,
        serving(PORT=str(port.number), DATABASE_URL=database_url, REDIS_URL="redis://127.0.0.1:1") as server,
    ):
        server.await_screen()
        assert server.url == f"http://127.0.0.1:{port.number}"
        assert server.stop() == 0
    warnings = [event for event in map(json.loads, server.errors) if event["level"] == "warning"]
    assert [event["event"] for event in warnings] == ["redis_lost"]


def test_two_servers_never_take_the_same_port(start_serve: StartServe, database_url: str) -> None:
    port = start_serve(DATABASE_URL=database_url).url.rpartition(":")[2]
    second = subprocess.run(
        [*COMMAND, "serve", "--port", port],
        env=clean_environment(DATABASE_URL=database_url),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert re.fullmatch(r"pairquiz-server: cannot listen on \S+: Address already in use.*\n", second.stderr)


def test_commands_beside_a_server_share_its_database_and_usage_tells_who_played(
    start_serve: StartServe, invoke: Invoke, data_dir: Path, tmp_path: Path
) -> None:
    server = start_serve("--data-dir", data_dir, PAIRQUIZ_LOG__FORMAT="console")

    async def play() -> None:
        async with connected(server.url) as first, connected(server.url) as second:
            started = await started_match(first, second, question_count=1)
            for player in (first, second):
                await player.ask("quiz_completed", {"session_id": started["session_id"]})

    asyncio.run(play())
    used = {row["feature"]: row for row in json.loads(invoke("usage", "--json", "--data-dir", data_dir).stdout)}
    assert used, "nobody has played"
    assert max(row["players"] for row in used.values()) >= 2
    assert all(name in invoke("usage", "--data-dir", data_dir).stdout for name in used)

    table = tmp_path / "table.csv"
    table.write_text("topic,question,a,b,c,d,correct\nBeside,Is this new?,yes,no,maybe,never,yes\n")
    imported = invoke("questions", "import", "--skip-bad", table, "--data-dir", data_dir)
    assert "1 added" in imported.stdout, imported.output
    assert "Beside" in json.dumps(server.get("/api/topics/"))
    assert postgres_runs(data_dir), "the server still uses it"
    assert server.stop() == 0
    assert not postgres_runs(data_dir)

    listed = invoke("questions", "list", "--data-dir", data_dir)
    assert "      1  Beside\n" in listed.stdout, "and with no server"
    assert not postgres_runs(data_dir)


def test_nobody_has_played_on_a_new_database(invoke: Invoke, database_url: str) -> None:
    assert invoke("usage", DATABASE_URL=database_url).stdout == "nobody has played in this time\n"
    assert json.loads(invoke("usage", "--json", DATABASE_URL=database_url).stdout) == []


def test_the_settings_in_force_are_shown_without_a_secret(invoke: Invoke, database_url: str) -> None:
    result = invoke("config", JWT_SECRET=SECRET, DATABASE_URL=database_url, PAIRQUIZ_GUEST_SECRET=SECRET)
    shown = json.loads(result.stdout)
    assert (shown["database_url"], shown["jwt_secret"], shown["guest_secret"]) == ("set", "set", "set")
    for section, settings in tomllib.loads(DEFAULTS.read_text(encoding="utf-8")).items():
        assert shown[section].keys() == settings.keys()
    assert SECRET not in result.output
    assert database_url not in result.output
