"""What people do on the page, by the names that it gives its things (frontend/src/texts.ts)."""

import asyncio
import re
from collections.abc import Iterable
from typing import NamedTuple

from tests.browser.windows import Window

TOPIC = "Geography"
QUESTIONS = 3
HOME = "Same questions. One clock. Who is quicker?"
DONE = "You are done"
RESULTS = "Question by question"
COUNTDOWN = re.compile(r"\d s (to come back|left)$")
"""How long somebody who is away may stay so."""
RESULT = re.compile(r"win|Lost|short|draw", re.IGNORECASE)
WON = re.compile(r"win by \d+$")
LOST = re.compile(r"^Lost by \d+$|^So close")


class Invitation(NamedTuple):
    """How a duel is joined."""

    link: str
    code: str


async def agree(window: Window, *, pace: str = "Own pace", questions: int = QUESTIONS) -> None:
    """Choose what to play, at the start."""
    await window.see("heading", HOME)
    await window.press("radio", TOPIC)
    await window.press("text", "The rules of the duel")
    await window.press("radio", pace, within={"role": "group", "name": "Pace"})
    await window.press("radio", str(questions), within={"role": "group", "name": "Questions"})
    await window.press("radio", "60", within={"role": "group", "name": "Seconds for each"})


async def invite(window: Window, **wishes: str | int) -> Invitation:
    """Make a duel, and return how somebody else joins it."""
    await agree(window, **wishes)  # type: ignore[arg-type]
    await window.press("button", "Invite a friend")
    await window.see("heading", "Invite your opponent")
    link = await window.value("textbox", "Link")
    code = await window.read("text", re.compile(r"^[0-9A-Z]{4}\s*[0-9A-Z]{4}$"))
    return Invitation(link, re.sub(r"\s", "", code))


async def accept(window: Window) -> None:
    """Take the seat that a link is about."""
    await window.see("heading", "Somebody challenges you")
    await window.press("button", "Join the duel")


async def join_by_code(window: Window, code: str) -> None:
    """Type in a code that somebody said."""
    await window.see("heading", HOME)
    await window.fill("textbox", "Have a code?", f"{code[:4]} {code[4:].lower()}")
    await window.press("button", "Join")


async def start(one: Window, other: Window) -> None:
    """Let one of two start the duel, and wait until both see its first question."""
    await one.press("button", "Start the duel")
    await all_see((one, other), "text", question(1))


def question(number: int, of: int = QUESTIONS) -> str:
    """How a question is announced."""
    return f"Question {number} of {of}"


async def choose(window: Window, option: int) -> None:
    """Press an option, from 1."""
    await window.press("button", within={"role": "list", "name": "Answers"}, nth=option - 1)


async def answer(window: Window, number: int, *, option: int = 1, of: int = QUESTIONS) -> None:
    """Take an option of this question, and wait until it counts."""
    await window.see("text", question(number, of))
    await choose(window, option)
    await judged(window, number, of=of)


async def judged(window: Window, number: int, *, of: int = QUESTIONS) -> None:
    """Wait for what an answer came to; the page may have gone on from there already."""
    after = ("Right", "Wrong", question(number + 1, of), DONE, RESULTS)
    await window.see("text", re.compile(f"^({'|'.join(after)})$"))


async def go_on(window: Window) -> None:
    """Leave a question that is answered; after a moment the page does so by itself."""
    await window.key("Enter")


async def answer_all(window: Window, *, option: int = 1, since: int = 1, of: int = QUESTIONS) -> None:
    """Take the same option of each question."""
    for number in range(since, of + 1):
        await answer(window, number, option=option, of=of)
        await go_on(window)


async def results(*windows: Window) -> list[str]:
    """Wait until each sees how it went, and return what it says."""
    for window in windows:
        await window.see("heading", RESULTS)
    return [await window.read("heading", RESULT) for window in windows]


async def all_see(windows: Iterable[Window], role: str, name: str | re.Pattern[str]) -> None:
    """Wait until all of them see it."""
    await asyncio.gather(*(window.see(role, name) for window in windows))
