"""The libraries' insides: what is used is there, and at versions that nobody read the start is refused."""

import configparser
from pathlib import Path

import pytest

from pairquiz_server.web import seams

ROOT = Path(__file__).parents[2]


def test_every_inside_that_is_touched_is_there() -> None:
    seams.check()


@pytest.mark.parametrize(
    ("library", "installed", "advice"),
    [
        ("python-socketio", "6.0.0", "pip install 'python-socketio>=5.18,<5.19'"),
        ("python-socketio", "5.17.9", "pip install 'python-socketio>=5.18,<5.19'"),
        ("python-engineio", "4.16.0", "pip install 'python-engineio>=4.15,<4.16'"),
        ("aiohttp", "3.15.0", "pip install 'aiohttp>=3.14.4,<3.15'"),
        ("aiohttp", "3.14.3", "pip install 'aiohttp>=3.14.4,<3.15'"),
    ],
)
def test_a_version_that_was_not_read_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, library: str, installed: str, advice: str
) -> None:
    real = seams.version
    monkeypatch.setattr(seams, "version", lambda name: installed if name == library else real(name))
    with pytest.raises(seams.UnknownLibrary, match=f"{library} {installed}") as refused:
        seams.check()
    assert str(refused.value).endswith(advice)


def test_an_inside_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(seams.AsyncSocket, "close")
    with pytest.raises(seams.UnknownLibrary, match=r"engineio.async_socket.AsyncSocket has no close"):
        seams.check()


def test_what_may_be_installed_is_what_was_read() -> None:
    file = configparser.ConfigParser()
    file.read(ROOT / "setup.cfg")
    required = {line.replace(" ", "") for line in file["options"]["install_requires"].splitlines()}
    assert {read.requirement for read in seams.READ} <= required


def test_every_inside_that_is_touched_is_in_the_architecture() -> None:
    written = (ROOT / "ARCHITECTURE.md").read_text()
    for seam in seams.SEAMS:
        assert f"`{seam.name}`" in written or f".{seam.name}`" in written or f'["{seam.name}"]`' in written, seam
        assert f"`web/{seam.file}`" in written, seam.file
