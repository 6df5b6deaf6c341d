"""Two people meet in two windows, and play a duel to its end: by a link, by a code, by looking for somebody."""

import asyncio
import re

import pytest

from tests.acceptance.server import Server
from tests.browser.conftest import Open
from tests.browser.steps import (
    QUESTIONS,
    accept,
    agree,
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
POINTS = re.compile(r"(You|\S+): (−?\d+) points?$")


async def both_play(ann: Window, ben: Window) -> None:
    """Play to the end; what both are told of the result is the same duel."""
    await asyncio.gather(answer_all(ann, option=1), answer_all(ben, option=2))
    said = await results(ann, ben)
    won = [bool(re.search(r"win", one)) for one in said]
    assert sum(won) <= 1, said
    assert any(won) or all("draw" in one.lower() for one in said), said


async def test_a_friend_follows_a_link(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    invitation = await invite(ann)
    assert invitation.link.startswith(f"{server.url}/pair-quiz/")
    ben = await open_window("Ben", invitation.link, phone=True, theme="dark")
    await accept(ben)
    await all_see((ann, ben), "heading", "Both are here")
    await start(ben, ann)
    await both_play(ann, ben)
    assert len(await ann.read_all("listitem", within={"role": "region", "name": "Question by question"})) == QUESTIONS


async def test_a_friend_types_the_code_in(open_window: Open, server: Server) -> None:
    ann, ben = await open_window("Ann", server.url, phone=True), await open_window("Ben", server.url)
    await join_by_code(ben, (await invite(ann)).code)
    await all_see((ann, ben), "heading", "Both are here")
    await start(ann, ben)
    await both_play(ann, ben)


async def test_two_strangers_find_each_other(open_window: Open, server: Server) -> None:
    ann, ben = await open_window("Ann", server.url), await open_window("Ben", server.url, phone=True)
    for window in (ann, ben):
        await agree(window)
        await window.press("button", "Find an opponent")
    await all_see((ann, ben), "text", question(1))  # it starts by itself
    await both_play(ann, ben)


async def test_two_windows_of_one_browser_are_two_players(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    invitation = await invite(ann)
    ben = await open_window("Ben", invitation.link, beside=ann)
    await accept(ben)
    await all_see((ann, ben), "heading", "Both are here")
    await start(ann, ben)
    await both_play(ann, ben)


async def test_both_see_a_question_at_the_same_moment_in_rounds(open_window: Open, server: Server) -> None:
    ann, ben = await open_window("Ann", server.url), await open_window("Ben", server.url, phone=True, theme="dark")
    await join_by_code(ben, (await invite(ann, pace="Together")).code)
    await all_see((ann, ben), "heading", "Both are here")
    await ann.press("button", "Start the duel")
    for number in range(1, QUESTIONS + 1):
        await all_see((ann, ben), "text", question(number))
        await all_see((ann, ben), "list", "Answers")
        await choose(ann, 1)
        await ben.see("text", re.compile(f"has answered {number}|is done"))
        await choose(ben, 2)
    await results(ann, ben)


async def test_the_same_two_play_again(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    ben = await open_window("Ben", (await invite(ann)).link)
    await accept(ben)
    await start(ann, ben)
    await both_play(ann, ben)
    await ann.press("button", "Rematch")
    await ben.press("button", "Take the rematch")
    await all_see((ann, ben), "text", question(1))  # it starts by itself
    await both_play(ann, ben)
    await all_see((ann, ben), "text", re.compile(r"^[\d.½]+ : [\d.½]+$"))


async def test_a_challenge_is_played_against_a_recorded_run(open_window: Open, server: Server) -> None:
    ann = await open_window("Ann", server.url)
    ben = await open_window("Ben", (await invite(ann)).link)
    await accept(ben)
    await start(ann, ben)
    await both_play(ann, ben)
    await ann.press("button", "Make a challenge link")
    link = await ann.value("textbox", "Challenge link")
    cid = await open_window("Cid", link, phone=True)
    await cid.see("heading", "Beat this run")
    await cid.press("button", "Take the challenge")
    await cid.press("button", re.compile("^Start"))
    await cid.see("text", "recorded run")
    await answer(cid, 1)
    await go_on(cid)
    await answer_all(cid, since=2)
    await results(cid)
