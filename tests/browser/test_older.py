"""A frontend that was written for the server before this one plays here as it is, and knows nothing of this server."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.sites import served
from tests.browser.windows import Window
from tests.nodejs import SEARCH_PATH

pytestmark = pytest.mark.asyncio(loop_scope="session")
QUESTIONS = 5


@pytest.fixture(scope="session")
def bundle(driver_folder: Path) -> Path:
    """The older frontend, built."""
    esbuild = driver_folder / "node_modules" / ".bin" / "esbuild"
    command = [
        esbuild,
        "older/page.jsx",
        "--bundle",
        "--jsx=automatic",
        "--outfile=older/page.js",
        "--log-level=warning",
    ]
    subprocess.run(command, cwd=driver_folder, env={"PATH": SEARCH_PATH}, check=True)
    return driver_folder / "older"


@pytest_asyncio.fixture(loop_scope="session")
async def older(bundle: Path, server: Server) -> AsyncIterator[str]:
    """Where it is: at an address of its own, as it always was."""
    async with served(bundle) as address:
        yield f"{address}/index.html?server={server.url}"


async def meet(open_window: Open, older: str) -> tuple[Window, Window]:
    """Let one create a session and the other join it."""
    ann = await open_window("Ann", older)
    await ann.fill("textbox", "Topic", "Geography")
    await ann.press("button", "Create")
    await ann.see("text", "Waiting for an opponent")
    ben = await open_window("Ben", older)
    await ben.fill("textbox", "Session", await ann.value("textbox", "Session"))
    await ben.press("button", "Join")
    await asyncio.gather(*(one.see("text", "Ready to start") for one in (ann, ben)))
    return ann, ben


async def answer_all(player: Window) -> list[str]:
    """Take an option of each question, and return the questions."""
    asked = []
    for number in range(1, QUESTIONS + 1):
        await player.see("heading", re.compile(rf"^{number}\. "))
        asked.append(await player.read("heading"))
        await player.press("button")  # whichever is first
    return asked


async def test_two_older_frontends_play_a_whole_duel(open_window: Open, older: str) -> None:
    ann, ben = await meet(open_window, older)
    await ann.press("button", "Start")
    await asyncio.gather(*(one.see("text", "30 seconds a question") for one in (ann, ben)))
    asked = await answer_all(ann)
    assert await answer_all(ben) == asked
    for one in (ann, ben):
        await one.see("heading", re.compile(r"^Your score: \d+$"))
        await one.miss("alert")


async def test_an_older_frontend_hears_that_its_opponent_is_gone(open_window: Open, older: str) -> None:
    ann, ben = await meet(open_window, older)
    await ben.press("button", "Start")
    await ann.see("text", "30 seconds a question")
    await ben.close()
    await ann.see("text", "Your opponent is gone")


async def test_an_older_frontend_is_told_what_is_wrong(open_window: Open, older: str) -> None:
    ann = await open_window("Ann", older)
    await ann.fill("textbox", "Session", "01234567-89ab-4cde-8f01-23456789abcd")
    await ann.press("button", "Join")
    await ann.see("text", "Session not found")
