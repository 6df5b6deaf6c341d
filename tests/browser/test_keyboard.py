"""A whole duel without a mouse or a finger: what is to be pressed can be reached, and the focus is never lost."""

import asyncio

import pytest

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.steps import HOME, QUESTIONS, all_see, judged, question, results
from tests.browser.windows import Window

pytestmark = pytest.mark.asyncio(loop_scope="session")
FAR = 60


async def walk_to(window: Window, name: str) -> None:
    """Go from one thing to the next until this one has the focus."""
    passed = []
    for _ in range(FAR):
        await window.key("Tab")
        passed.append(await window.focused())
        if passed[-1].startswith(name):
            return
    raise AssertionError(f"{window.who} never comes to {name!r}: {passed}")


async def press(window: Window, name: str) -> None:
    """Go there, and press it."""
    await walk_to(window, name)
    await window.key("Enter")


async def test_the_keyboard_alone_plays_a_whole_duel(open_window: Open, server: Server) -> None:
    ann, ben = await open_window("Ann", server.url), await open_window("Ben", server.url)
    await all_see((ann, ben), "heading", HOME)
    await press(ann, "The rules of the duel")
    await walk_to(ann, "5")  # the one that is chosen of how many
    await ann.key("ArrowLeft")
    await press(ann, "Invite a friend")
    await ann.see("heading", "Invite your opponent")
    await ann.until("document.activeElement === document.querySelector('h1')")
    await walk_to(ben, "Have a code?")
    await ben.type(await ann.value("textbox", "Link"))
    await ben.key("Enter")
    await ben.see("heading", "Somebody challenges you")
    await press(ben, "Join the duel")
    await all_see((ann, ben), "heading", "Both are here")
    await press(ben, "Start the duel")
    await all_see((ann, ben), "text", question(1))
    await asyncio.gather(*(play(window) for window in (ann, ben)))
    await results(ann, ben)
    await press(ann, "Rematch")
    await press(ben, "Take the rematch")
    await all_see((ann, ben), "text", question(1))


async def play(window: Window) -> None:
    """Answer by the number, or by going to an option; the question has the focus each time."""
    for number in range(1, QUESTIONS + 1):
        await window.see("text", question(number))
        await window.until("document.activeElement === document.querySelector('h1')")
        if number == 1:
            await walk_to(window, await window.first_option())
            await window.key("Enter")
        else:
            await window.key("2")
        await judged(window, number)
        await window.key("Enter")
