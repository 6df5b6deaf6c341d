"""Windows that are loaded again, left and opened again, and lines that are gone for a while: the duel goes on."""

import re

import pytest

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.steps import (
    COUNTDOWN,
    HOME,
    accept,
    all_see,
    answer,
    answer_all,
    choose,
    go_on,
    invite,
    judged,
    question,
    results,
    start,
)
from tests.browser.windows import Window
from tests.chaos.proxy import Proxy

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def playing(open_window: Open, server: Server, *, bens_way: str | None = None) -> tuple[Window, Window]:
    """Two who see their first question; `bens_way` is the address by which Ben reaches the server."""
    ann = await open_window("Ann", server.url)
    link = (await invite(ann)).link
    ben = await open_window("Ben", link.replace(server.url, bens_way or server.url), phone=True)
    await accept(ben)
    await start(ann, ben)
    return ann, ben


async def ten_seconds(window: Window) -> None:
    """Wait until the clock of the duel has gone on by as much."""
    minutes, _, seconds = (await window.read("timer")).strip().partition(":")
    then = int(minutes) * 60 + int(seconds) - 10
    face = "document.querySelector('[role=timer]').innerText.trim().split(':')"
    await window.until(f"(([minutes, seconds]) => minutes * 60 + Number(seconds) <= {then})({face})")


async def test_a_window_is_loaded_again_at_every_step(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    await ann.reload()
    link = (await invite(ann)).link
    await ann.reload()
    assert await ann.value("textbox", "Link") == link
    ben = await open_window("Ben", link)
    await ben.reload()
    await accept(ben)
    await all_see((ann, ben), "heading", "Both are here")
    for window in (ann, ben):
        await window.reload()
    await start(ann, ben)
    await answer(ann, 1, option=3)
    await ann.reload()
    await ann.see("text", question(2))
    await answer_all(ann, since=2)
    await ann.see("heading", "You are done")
    await ann.reload()
    await ann.see("heading", "You are done")
    await answer_all(ben)
    said = await results(ann, ben)
    for window in (ann, ben):
        await window.reload()
    assert await results(ann, ben) == said


async def test_an_opponent_leaves_and_comes_back(open_window: Open, server: Server) -> None:
    ann, ben = await playing(open_window, server)
    link = await ben.address()
    await answer(ben, 1)
    await ben.go("about:blank")
    await ann.see("text", re.compile("has closed the page"))
    await ann.see("text", COUNTDOWN)
    await answer_all(ann)
    await ann.see("heading", "You are done")
    await ben.go(link)
    await ann.miss("text", COUNTDOWN)
    await answer_all(ben, since=2)
    await results(ann, ben)


async def test_an_opponent_who_does_not_come_back_has_lost(open_window: Open, own_server: Server) -> None:
    ann, ben = await playing(open_window, own_server)
    await ben.close()
    await ann.see("text", re.compile("has closed the page"))
    await ann.see("heading", re.compile("did not come back. You win"))


async def test_who_is_offline_for_ten_seconds_plays_on(open_window: Open, own_server: Server, line: Proxy) -> None:
    ann, ben = await playing(open_window, own_server, bens_way=f"http://127.0.0.1:{line.port}")
    line.freeze()  # not even a farewell reaches the server: Chromium would let one pass
    await ben.offline(True)
    await ben.see("text", re.compile("^You are offline"))
    await choose(ben, 1)
    await ben.see("text", re.compile("^Kept"))
    await answer(ann, 1)
    await ten_seconds(ann)
    line.thaw()
    await ben.offline(False)
    await judged(ben, 1)
    await ben.miss("text", re.compile("^You are offline"))
    await ben.forgive("ERR_INTERNET_DISCONNECTED")
    await go_on(ben)
    await answer_all(ben, since=2)
    await answer_all(ann, since=2)
    await results(ann, ben)


async def test_the_other_is_told_of_a_line_that_is_gone(open_window: Open, own_server: Server, line: Proxy) -> None:
    ann, ben = await playing(open_window, own_server, bens_way=f"http://127.0.0.1:{line.port}")
    line.freeze()
    await ann.see("text", re.compile("has no connection"))
    await ann.see("text", COUNTDOWN)
    line.thaw()
    await ann.miss("text", COUNTDOWN)
    await answer_all(ann)
    await answer_all(ben)
    await results(ann, ben)


async def test_a_duel_goes_on_after_the_server_has_died(open_window: Open, own_server: Server) -> None:
    ann, ben = await playing(open_window, own_server)
    await answer(ann, 1)
    await own_server.kill()
    await all_see((ann, ben), "text", re.compile("^The connection is lost"))
    await own_server.start()
    await all_see((ann, ben), "text", "You are connected again.")
    for window in (ann, ben):
        await window.forgive("ERR_CONNECTION")
    await go_on(ann)
    await answer_all(ann, since=2)
    await answer_all(ben)
    await results(ann, ben)


async def test_who_gives_up_has_lost(open_window: Open, server: Server) -> None:
    ann, ben = await playing(open_window, server)
    await ann.press("button", "Give up")
    await ann.see("heading", "Give up this duel?")
    await ann.press("button", "Go on playing")
    await ann.press("button", "Give up")
    await ann.press("button", "Give up", within={"role": "dialog"})
    await ann.see("heading", "You gave up")
    await ben.see("heading", re.compile("gave up. You win"))
    assert await ann.read_all("listitem", within={"role": "region", "name": "Question by question"})


async def test_a_link_that_leads_nowhere_says_so(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", f"{server.url}/pair-quiz/01234567-89ab-4cde-8f01-23456789abcd")
    await ann.see("heading", re.compile("There is no such duel|Somebody challenges you"))
    await ann.press("link", "Back to the start")
    await ann.see("heading", HOME)


async def test_a_third_is_told_that_the_seat_is_taken(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    link = (await invite(ann)).link
    ben = await open_window("Ben", link)
    cid = await open_window("Cid", link)
    await cid.see("heading", "Somebody challenges you")
    await accept(ben)
    await ben.see("heading", "Both are here")
    await accept(cid)
    await cid.see("heading", "Somebody else has taken this seat")
