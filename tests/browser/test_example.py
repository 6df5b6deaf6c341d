"""The example of a page without a build plays a duel, as its README says."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.sites import served
from tests.browser.windows import Window
from tests.nodejs import find_node, installed

pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUESTIONS = 3
QUESTION = re.compile("^(?!Quiz duel|Code|Waiting|You have)")
OVER = re.compile("^You have (won|lost|drawn)")


@pytest_asyncio.fixture(loop_scope="session")
async def example(tmp_path: Path, server: Server) -> AsyncIterator[str]:
    """Where the example is."""
    async with served(installed(find_node(), EXAMPLES, tmp_path / "examples")) as address:
        yield f"{address}/page.html?server={server.url}"


async def answer_all(player: Window, option: int) -> None:
    """Press an option of each question, which makes place for the next one."""
    for _ in range(QUESTIONS):
        asked = await player.read("heading", QUESTION)
        await player.press("button", (await player.read_all("button"))[option])
        await player.miss("heading", asked)


async def test_two_windows_of_the_example_play_a_whole_duel(open_window: Open, example: str) -> None:
    ann, ben = await open_window("Ann", example), await open_window("Ben", example, phone=True)
    await ann.press("button", "Invite somebody")
    code = await ann.read("heading", re.compile("^Code: "))
    await ben.fill("textbox", "Code", code.removeprefix("Code: "))
    await ben.press("button", "Join")
    await asyncio.gather(answer_all(ann, 0), answer_all(ben, 1))
    said = [await one.read("heading", OVER) for one in (ann, ben)]
    assert len({one for one in said if "won" in one}) <= 1
