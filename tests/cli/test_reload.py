"""`serve --reload`: for who works on the source."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import pairquiz_server
from tests.cli.conftest import serving

pytest.importorskip("watchfiles", reason="the extra `reload` is not installed")

CHECKOUT = Path(pairquiz_server.__file__).parents[1]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the project's source, whose version says who serves."""
    for name in ("pairquiz_server", "sql"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "config.toml", tmp_path)
    return tmp_path


def rename_screen(source: Path, name: str) -> None:
    """Change the source: the screen's first words become `name`."""
    path = source / "pairquiz_server" / "cli" / "serve.py"
    path.write_text(path.read_text().replace("pairquiz-server is ready", f"{name} is ready"))


def test_a_changed_source_file_restarts_the_server_and_ctrl_c_ends_all(source: Path, database_url: str) -> None:
    environ = {"DATABASE_URL": database_url, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    with serving("--reload", "--port", "0", cwd=source, **environ) as server:
        server.await_screen()
        assert "pairquiz-server is ready" in server.screen
        first = server.url
        rename_screen(source, "the second one")
        server.await_screen()
        assert "the second one is ready" in server.screen
        assert server.get("/healthz") is not None
        assert first != server.url

        os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does
        assert server.exit_code() == 0
        assert not answers(server.url)
    assert not any("Traceback" in line for line in server.errors)


def test_a_broken_source_file_ends_the_child_and_its_repair_brings_it_back(source: Path, database_url: str) -> None:
    environ = {"DATABASE_URL": database_url, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    with serving("--reload", "--port", "0", cwd=source, **environ) as server:
        server.await_screen()
        good = (source / "pairquiz_server" / "app.py").read_text()
        (source / "pairquiz_server" / "app.py").write_text("this is no Python\n")
        while not any("SyntaxError" in line for line in server.errors):
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(0.01)
        (source / "pairquiz_server" / "app.py").write_text(good)
        server.await_screen()
        assert server.stop(signal.SIGTERM) == 0
        assert not answers(server.url)


def answers(url: str) -> bool:
    """Whether anybody still listens there."""
    address = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((address.hostname, address.port)) == 0
