"""The page of examples/ that needs no build: two people play on it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.windows import Window
from tests.nodejs import find_node, installed

pytestmark = pytest.mark.asyncio(loop_scope="session")
EXAMPLES = Path(__file__).parents[2] / "examples"
QUESTIONS = 3
SHOWN = "document.getElementById('text').textContent"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def example(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the page is, served as plain files with what `npm ci` has installed beside it."""
    site = web.Application()
    site.router.add_static("/", installed(find_node(), EXAMPLES, tmp_path_factory.mktemp("examples")))
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/page.html?server={server.url}"
    await runner.cleanup()


async def answer(player: Window) -> None:
    """Take the first option, and wait until the question is another one, or none."""
    asked = json.dumps(await player.tell(SHOWN))
    await player.press("button")
    await player.until(f"{SHOWN} !== {asked}")


async def play_out(*players: Window) -> None:
    for player in players:
        await player.see("text", re.compile("^You 0 : "))
        await player.see("button")
        for _ in range(QUESTIONS):
            await answer(player)
    endings = [await player.read("heading", re.compile(r"^You have ")) for player in players]
    assert sorted(endings) in (["You have drawn."] * 2, ["You have lost.", "You have won."])


async def test_two_play_by_a_code_and_one_reloads(open_window: Open, example: str) -> None:
    ann, ben = await open_window("Ann", example), await open_window("Ben", example)
    await ann.press("button", "Invite somebody")
    code = (await ann.read("heading", re.compile(r"^Code: "))).removeprefix("Code: ")
    await ben.fill("textbox", "Code", code)
    await ben.press("button", "Join")
    await asyncio.gather(*(player.see("text", re.compile("^You 0 : 0 ")) for player in (ann, ben)))
    assert await ann.findings() == []
    await ann.reload()
    await play_out(ann, ben)


async def test_two_find_each_other(open_window: Open, example: str) -> None:
    ann, ben = await open_window("Ann", example), await open_window("Ben", example)
    for player in (ann, ben):
        await player.press("button", "Find somebody")
    await play_out(ann, ben)
