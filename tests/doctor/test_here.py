"""What can be wrong with the settings, the machine, the address and the pages is found, by its name."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from contextlib import closing
from pathlib import Path

import pytest

from pairquiz_server import config
from pairquiz_server.config import DEVELOPMENT_ORIGINS, ConfigError
from pairquiz_server.doctor import machine
from pairquiz_server.doctor.address import as_browsers_write, look_at_address, look_at_origins, origin_found
from pairquiz_server.doctor.checks import Check, Findings, carried_out
from pairquiz_server.doctor.faults.here import PAGE_MISSING
from pairquiz_server.doctor.finding import ok
from pairquiz_server.doctor.here import database_at_hand, unreadable
from pairquiz_server.doctor.machine import look_at_machine
from pairquiz_server.web import seams
from tests.conftest import Server
from tests.doctor.looking import all_of, faults, told
from tests.ports import OwnPort

SECRET = "a-secret-of-at-least-thirty-two-bytes"
HANGS_UP = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    listener.accept()[0].close()
"""
OPEN = {"PAIRQUIZ_SERVER__HOST": "0.0.0.0", "JWT_SECRET": SECRET}


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"JWT_SECRET": "short"}, "secret-invalid"),
        ({"PAIRQUIZ_SERVER__HOST": "0.0.0.0"}, "address-open"),
        ({"PAIRQUIZ_SERVER__ALLOWED_ORIGINS": '["https://quiz.example/"]'}, "origin-malformed"),
        ({"PAIRQUIZ_SERVER__ALLOWED_ORIGINS": "https://quiz.example"}, "origin-malformed"),
        ({"DATABASE_URL": "mysql://db.example/quiz"}, "database-url-malformed"),
        ({"SUPABASE_URL": "mysql://db.example/quiz"}, "database-url-malformed"),
        ({"REDIS_URL": "http://redis.example"}, "redis-url-malformed"),
        ({"PAIRQUIZ_SERVER__PROT": "1"}, "settings-invalid"),
    ],
)
def test_settings_that_cannot_be_read_are_told_before_all_else(environ: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        config.load(environ=environ)
    first, *rest = unreadable(wrong.value)
    assert (first.fault, first.what) == (fault, wrong.value.told)
    assert set(told(rest).values()) == {"skipped"}


async def test_a_machine_is_looked_at(tmp_path: Path) -> None:
    settings = config.load(environ={}, flags={"server": {"data_dir": str(tmp_path)}})
    found = told(await all_of(look_at_machine(settings)))
    assert found.keys() == {"libraries", "data folder", "disk", "page", "open files", "clock"}
    assert found["libraries"] == found["data folder"] == "ok"


async def test_libraries_that_nobody_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "check", _unknown)
    assert told(await all_of(look_at_machine(config.load(environ={}))))["libraries"] == "libraries-unknown"


def _unknown() -> None:
    raise seams.UnknownLibrary("python-engineio has another version")


async def test_a_data_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = config.load(environ={}, flags={"server": {"data_dir": str(tmp_path / "file" / "data")}})
    assert told(await all_of(look_at_machine(settings)))["data folder"] == "data-dir-unwritable"


def test_an_embedded_database_is_not_made_and_says_why_it_does_not_start(open_folder: Path) -> None:
    folder = open_folder / "refused"
    settings = config.load(environ={}, flags={"server": {"data_dir": str(folder)}})
    with database_at_hand(settings) as none:
        assert told([none]) == {"database": "skipped"}  # type: ignore[list-item]
    assert not folder.exists()
    (folder / "postgres").mkdir(parents=True)
    nowhere = config.load(environ={}, flags={"server": {"data_dir": str(folder / ("x" * 300))}})
    with database_at_hand(nowhere) as refused:  # as with a folder that this user may not enter
        assert told([refused]) == {"database": "embedded-refused"}  # type: ignore[list-item]
    with database_at_hand(settings) as refused:
        assert told([refused]) == {"database": "embedded-refused"}  # type: ignore[list-item]


def test_what_a_machine_has_too_little_of(tmp_path: Path) -> None:
    assert machine.disk_found(tmp_path, 900).fault == "disk-low"
    assert machine.disk_found(tmp_path, 9000).fault == ""
    assert machine.open_files_found(1024, 20_000).fault == "open-files-low"
    assert machine.open_files_found(65_536, 20_000).fault == ""
    assert machine.clock_found(5).fault == "clock-unsynchronised"
    assert machine.clock_found(0).fault == ""


def test_a_page_is_missing() -> None:
    settings = config.load(environ={})
    found = machine.page_found(settings.page, missing=True)
    assert found.fault == PAGE_MISSING.name == "page-missing"
    assert machine.page_found(None, missing=False).fault == ""


async def test_a_port_that_is_free_and_one_where_a_server_of_ours_runs(server: Server) -> None:
    with closing(OwnPort()) as port:
        assert await at(port.number) == {"address": "ok"}
    assert await at(int(server.url.rpartition(":")[2])) == {"address": "ok"}
    assert await at(0) == {"address": "ok"}


async def test_a_port_is_in_use_and_by_whom() -> None:
    other = await create_subprocess_exec(sys.executable, "-c", HANGS_UP, stdout=PIPE)
    assert other.stdout is not None
    port = int(await other.stdout.readline())
    try:
        (found,) = await all_of(look_at_address(_listening("127.0.0.1", port), f"http://127.0.0.1:{port}"))
        assert found.fault == "port-in-use"
        assert f"by process {other.pid} (python" in found.what
    finally:
        other.kill()
        await other.communicate()


async def test_an_address_that_cannot_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await at(8000, host="198.51.100.7") == {"address": "address-not-here"}
    assert await at(8000, host="nobody.invalid") == {"address": "address-not-here"}
    monkeypatch.setattr(socket.socket, "bind", _not_allowed)  # this user may be root, who may
    assert await at(80) == {"address": "port-forbidden"}


def _not_allowed(*_: object) -> None:
    raise PermissionError


async def at(port: int, host: str = "127.0.0.1") -> dict[str, str]:
    return told(await all_of(look_at_address(_listening(host, port), f"http://127.0.0.1:{port}")))


def _listening(host: str, port: int) -> config.Settings:
    environ = {"JWT_SECRET": SECRET}
    return config.load(environ=environ, flags={"server": {"host": host, "port": port}})


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({}, "ok"),
        (OPEN, "origins-of-development"),
        ({**OPEN, "PAIRQUIZ_SERVER__ALLOWED_ORIGINS": '["*"]'}, "origins-everybody"),
        ({**OPEN, "PAIRQUIZ_SERVER__ALLOWED_ORIGINS": '["https://quiz.example"]'}, "ok"),
    ],
)
async def test_too_few_or_too_many_pages_may_come(environ: dict[str, str], fault: str) -> None:
    found = told(await all_of(look_at_origins(config.load(environ=environ), None)))
    assert found == {"origins": fault, "origin": "skipped"}


async def test_a_page_may_come_or_not_and_what_was_meant() -> None:
    allowed = ("https://quiz.example",)
    assert origin_found("https://quiz.example", allowed).fault == ""
    for origin, hint in {
        "https://quiz.example/": "browsers write it https://quiz.example",
        "http://quiz.example": "only those of https://quiz.example",
        "https://www.quiz.example": "only those of https://quiz.example",
        "https://quiz.example:8443": "only those of https://quiz.example",
    }.items():
        found = origin_found(origin, allowed)
        assert found.fault == "origin-not-allowed"
        assert hint in found.what
    assert origin_found("http://localhost:5173", DEVELOPMENT_ORIGINS).fault == "origin-not-allowed"


def test_an_origin_is_written_as_browsers_do() -> None:
    for typed in ("https://Quiz.example", "https://quiz.example/", "https://quiz.example:443/play?x=1"):
        assert as_browsers_write(typed) == "https://quiz.example"
    assert as_browsers_write("http://localhost:3000") == "http://localhost:3000"
    assert as_browsers_write("null") == "null"


async def test_a_check_that_hangs_or_breaks_takes_nothing_along() -> None:
    async def hangs() -> Findings:
        yield ok("before", "")
        await _forever()

    async def breaks() -> Findings:
        yield ok("also before", "")
        raise RuntimeError("postgresql://user:secret@host")

    found = await carried_out([Check("slow", hangs, 0.01), Check("broken", breaks)])
    assert told(found) == {
        "before": "ok",
        "slow": "check-too-slow",
        "also before": "ok",
        "broken": "check-broke",
    }
    assert not any("secret" in one.what for one in found)
    assert faults(found) == {"check-too-slow", "check-broke"}


async def _forever() -> None:
    await asyncio.Event().wait()
