"""Players say what is wrong with a question, and every way of asking for it has one answer."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from pairquiz_server.store.reports import Reports
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(shared_server: Server) -> AsyncIterator[Client]:
    async with connected(shared_server.url) as client:
        yield client


def report(started: dict[str, Any], place: int = 0, reason: str = "unclear", **more: Any) -> dict[str, Any]:
    question = {"session_id": started["session_id"], "question_id": started["questions"][place]["id"]}
    return {**question, "reason": reason, **more}


async def reported(server: Server, text: str) -> Any:
    """The report of the question with a text."""
    found = await Reports(server.running.database).find(None, 10_000, edited=True)
    return next((one for one in found if one.text == text), None)


async def test_players_report_a_question_during_a_match_and_after_it(
    shared_server: Server, player: Client, other: Client
) -> None:
    started = await started_match(player, other)
    text = started["questions"][0]["text"]
    before = await reported(shared_server, text)
    note = "  Which one?\nThere are two.  "
    answer = await player.ask("report_question", report(started, note=note))
    named = {"session_id": started["session_id"], "question_id": started["questions"][0]["id"], "reason": "unclear"}
    assert answer == {"ok": True, **named}
    assert await player.ask("report_question", report(started, note=note)) == {**answer, "duplicate": True}
    for client in (player, other):
        await client.ask("quiz_completed", {"session_id": started["session_id"]})
    await player.event("quiz_results")
    as_text = {**report(started, reason="wrong_answer"), "question_id": str(started["questions"][0]["id"])}
    assert await other.ask("report_question", as_text) == {"ok": True, **named, "reason": "wrong_answer"}
    found = await reported(shared_server, text)
    assert found.reports - (before.reports if before else 0) == 2
    assert found.notes[0] == "Which one? There are two."
    assert "error" not in [name for client in (player, other) for name, _ in await client.settled()]


async def test_a_report_without_an_acknowledgement_is_silent_unless_it_is_refused(
    shared_server: Server, player: Client, other: Client
) -> None:
    started = await started_match(player, other)
    await player.settled()
    await player.emit("report_question", report(started))
    await player.emit("report_question", {**report(started), "question_id": 0})
    refused = await player.event("error")
    assert (refused["command"], refused["code"], refused["retry"]) == ("report_question", "unknown_question", False)
    assert await reported(shared_server, started["questions"][0]["text"])


async def test_only_what_was_shown_is_reported_and_only_by_its_players(
    shared_server: Server, player: Client, other: Client, stranger: Client
) -> None:
    session_id = await ready_match(player, other)
    early = await player.ask("report_question", {"session_id": session_id, "question_id": 1, "reason": "other"})
    assert early["error"]["code"] == "unknown_question", "it has not begun"
    await player.ask("start_quiz", {"session_id": session_id})
    started = await player.event("quiz_started")
    cases: list[tuple[Client, dict[str, Any], str]] = [
        (player, {"question_id": 0}, "unknown_question"),
        (stranger, {}, "not_a_player"),
        (player, {"session_id": str(uuid4())}, "not_found"),
        (player, {"session_id": "none"}, "not_found"),
        (player, {"session_id": 7}, "invalid_payload"),
        (player, {"question_id": "seven"}, "invalid_payload"),
        (player, {"question_id": None}, "invalid_payload"),
        (player, {"reason": "boring"}, "invalid_payload"),
        (player, {"reason": None}, "invalid_payload"),
        (player, {"note": "x" * 501}, "invalid_payload"),
        (player, {"note": "a\x00b"}, "invalid_payload"),
        (player, {"note": 7}, "invalid_payload"),
    ]
    for client, changes, code in cases:
        answer = await client.ask("report_question", {**report(started), **changes})
        assert (answer["ok"], answer["error"]["code"]) == (False, code), changes
    for payload in (None, {}, [], "report"):
        assert (await player.ask("report_question", payload))["error"]["code"] == "invalid_payload"
    fits = await player.ask("report_question", report(started, reason="offensive", note="é" * 500))
    assert fits["ok"]
    for nothing in (None, "", "   "):
        assert (await player.ask("report_question", report(started, 1, "offensive", note=nothing)))["ok"]


async def test_reports_are_limited_like_all_commands(shared_server: Server, player: Client, other: Client) -> None:
    started = await started_match(player, other)
    codes = []
    for _ in range(200):
        answer = await player.ask("report_question", report(started))
        codes.append("ok" if answer["ok"] else answer["error"]["code"])
    assert set(codes) == {"ok", "rate_limited"}
