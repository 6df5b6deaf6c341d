"""What every state looks like, on a phone and on a desktop, light and dark: nothing is found that keeps people out.

A picture of each is in build/screenshots, to be looked at. Nothing jumps while one looks.
"""

import re

import pytest

from tests.acceptance.server import Server
from tests.browser.conftest import PICTURES, Open
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
    join_by_code,
    question,
    results,
    start,
)
from tests.browser.windows import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")
# What moved without anybody having pressed anything, as a part of the screen (the measure of Core Web Vitals).
WATCH = """() => {
    window.__moved = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__moved += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""
HARDLY = 0.02


async def look(state: str, *windows: Window) -> None:
    """Take a picture in both themes, and let axe look."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for window in windows:
        for theme in ("light", "dark"):
            await window.theme(theme)
            await window.picture(PICTURES / f"{state}-{window.who}-{theme}.png")
            assert await window.findings() == [], (state, window.who, theme)


async def test_every_state_of_a_duel_at_own_pace(open_window: Open, server: Server) -> None:
    desktop = await open_window("desktop", server.url)
    phone = await open_window("phone", server.url, phone=True)
    for window in (desktop, phone):
        await window.tell(f"({WATCH})()")
    await all_see((desktop, phone), "heading", HOME)
    await look("home", desktop, phone)
    for window in (desktop, phone):
        await window.press("text", "The rules of the duel")
    await look("rules", desktop, phone)
    await phone.press("button", "Find an opponent")
    await phone.see("heading", "Looking for your opponent")
    await look("searching", phone)
    await phone.press("button", "Stop looking")
    await desktop.press("text", "The rules of the duel")
    invitation = await invite(desktop)
    await look("waiting", desktop)
    await phone.go(invitation.link)
    await phone.see("heading", "Somebody challenges you")
    await look("invited", phone)
    await accept(phone)
    await all_see((desktop, phone), "heading", "Both are here")
    await look("ready", desktop, phone)
    await start(desktop, phone)
    await look("question", desktop, phone)
    for window, option in ((desktop, 1), (phone, 2)):
        await answer(window, 1, option=option)
        await look("answered", window)
        await go_on(window)
    await phone.press("button", "Give up")
    await look("give-up", phone)
    await phone.press("button", "Go on playing")
    await phone.offline(True)
    await phone.see("text", re.compile("^You are offline"))
    await look("offline", phone)
    await desktop.see("text", COUNTDOWN)
    await look("opponent-away", desktop)
    await phone.offline(False)
    await desktop.miss("text", COUNTDOWN)
    await phone.forgive("ERR_INTERNET_DISCONNECTED")
    await answer_all(desktop, since=2)
    await desktop.see("heading", "You are done")
    await look("done", desktop)
    await answer_all(phone, since=2)
    await results(desktop, phone)
    await look("results", desktop, phone)
    await desktop.press("button", "Rematch")
    await phone.see("button", "Take the rematch")
    await look("rematch", desktop, phone)
    for window in (desktop, phone):
        assert await window.tell("window.__moved ?? 0") < HARDLY, window.who


async def test_every_state_of_a_duel_in_rounds(open_window: Open, server: Server) -> None:
    desktop = await open_window("desktop", server.url)
    phone = await open_window("phone", server.url, phone=True)
    await join_by_code(phone, (await invite(desktop, pace="Together")).code)
    await all_see((desktop, phone), "heading", "Both are here")
    await desktop.press("button", "Start the duel")
    await all_see((desktop, phone), "text", question(1))
    await all_see((desktop, phone), "list", "Answers")
    await choose(desktop, 1)
    await desktop.see("text", re.compile("Waiting for"))
    await look("round-waiting", desktop)
    await choose(phone, 2)
    await look("round-closed", desktop, phone)


@pytest.mark.parametrize("place", ["profile", "leaderboards"])
async def test_what_is_remembered(open_window: Open, server: Server, place: str) -> None:
    desktop = await open_window("desktop", f"{server.url}/#{place}")
    phone = await open_window("phone", f"{server.url}/#{place}", phone=True)
    await all_see((desktop, phone), "heading", {"profile": "Your profile", "leaderboards": "Leaderboards"}[place])
    await look(place, desktop, phone)


async def test_dead_ends(open_window: Open, server: Server) -> None:
    for state, path in (("no-duel", "/pair-quiz/challenge/NONESUCH"), ("no-page", "/pair-quiz/challenge/a")):
        phone = await open_window("phone", f"{server.url}{path}", phone=True)
        await phone.see("main")
        await look(state, phone)


async def test_a_phone_is_never_scrolled_sideways(open_window: Open, server: Server) -> None:
    phone = await open_window("phone", server.url, phone=True)
    await phone.see("heading", HOME)
    assert await phone.tell("document.documentElement.scrollWidth <= window.innerWidth")
    await invite(phone)
    assert await phone.tell("document.documentElement.scrollWidth <= window.innerWidth")
