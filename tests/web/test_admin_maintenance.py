"""Maintenance: nothing begins at any node, what runs goes on, and everybody is told."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.cli.operator_line import OperatorLine
from pairquiz_server.client.errors import Refusal
from pairquiz_server.client.line import Line
from pairquiz_server.protocol.admin import BeginMaintenance, MaintenanceState
from tests.client import Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import answering
from tests.web.operator import audit, operator_by_socket

WORDS = "New questions come in: back at noon"


async def begin(line: OperatorLine, message: str | None = WORDS, seconds: int | None = 600) -> MaintenanceState:
    payload = BeginMaintenance(message=message, seconds=seconds)
    return await line.ask("begin_maintenance", MaintenanceState, payload=payload)


async def end(line: OperatorLine) -> MaintenanceState:
    return await line.ask("end_maintenance", MaintenanceState)


async def refused(player: Client, command: str, payload: dict[str, Any]) -> dict[str, Any]:
    reply = await player.ask(command, payload)
    assert not reply["ok"], reply
    return {key: reply["error"].get(key) for key in ("code", "message", "retry")}


async def test_nothing_begins_at_any_node_and_what_runs_goes_on(start_server: StartServer, tmp_path: Path) -> None:
    here, there = await start_server(), await start_server()
    async with (
        connected(there.url) as first,
        connected(there.url) as second,
        connected(here.url) as waits,
        connected(here.url) as joins,
        operator_by_socket(here, tmp_path) as line,
    ):
        played = (await started_match(first, second))["session_id"]
        for player in (first, second):
            await player.ask("quiz_completed", {"session_id": played})
        for player in (first, second):
            await player.event("quiz_results")
        started = await started_match(first, second)
        waiting = (await waits.ask("create_pair_quiz", {}))["session_id"]
        assert (await begin(line)).on
        for player in (waits, first, second):
            told = await player.event("maintenance")
            assert (told["on"], told["message"]) == (True, WORDS)
            assert told["server_time"] < told["until"] <= told["server_time"] + 600_000
        nothing = {"code": "maintenance", "message": WORDS, "retry": True}
        for player in (waits, first):
            assert await refused(player, "create_pair_quiz", {}) == nothing
            assert await refused(player, "find_opponent", {}) == nothing
        assert await refused(first, "request_rematch", {"session_id": played}) == nothing
        given = await first.ask("submit_answer", answering(started, 0))
        assert given["ok"], "a match that runs goes on"
        assert (await joins.ask("join_pair_quiz", {"session_id": waiting}))["ok"], "one that waits is live, too"
        await waits.event("opponent_joined")
        assert (await waits.ask("start_quiz", {"session_id": waiting}))["ok"]
        async with connected(there.url) as late:
            assert (await late.event("maintenance"))["message"] == WORDS
        state = await end(line)
        assert (state.on, state.changed) == (False, True)
        for player in (waits, first, second):
            assert not (await player.event("maintenance"))["on"]
            assert (await player.ask("create_pair_quiz", {}))["ok"]
        assert not (await end(line)).changed
        assert [deed.action for deed in await audit(line)] == ["maintenance.on", "maintenance.off"]


async def test_who_looks_for_an_opponent_is_let_go_with_the_reason(server: Server, tmp_path: Path) -> None:
    async with connected(server.url) as seeker, operator_by_socket(server, tmp_path) as line:
        assert (await seeker.ask("find_opponent", {}))["ok"]
        await begin(line)
        told = await seeker.event("error")
        assert (told["command"], told["code"], told["message"]) == ("find_opponent", "maintenance", WORDS)
        await end(line)
        async with connected(server.url) as other:
            assert not (await seeker.ask("find_opponent", {})).get("duplicate")
            await other.ask("find_opponent", {})
            for player in (seeker, other):
                await player.event("opponent_found")


async def test_it_is_told_over_rest_and_keeps_the_server_ready(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as player,
        operator_by_socket(server, tmp_path) as line,
        ClientSession(headers={"Authorization": f"Bearer {player.token}"}) as session,
    ):
        await begin(line, message=None)
        async with session.post(f"{server.url}/api/pair-quiz/create", json={}) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"], error["retry"]) == (503, "maintenance", True)
            assert 300 < int(response.headers["Retry-After"]) <= 600
            assert "try again" in error["message"], "the server's own words, where the operator has none"
        for path in ("/healthz", "/readyz"):
            async with session.get(server.url + path) as response:
                assert response.status == 200, "a balancer must not take the server out: matches go on"
        assert (await begin(line, message=WORDS, seconds=None)).left_ms is None
        async with session.post(f"{server.url}/api/pair-quiz/create", json={}) as response:
            error = (await response.json())["error"]
            assert (error["message"], "retry_in_ms" in error) == (WORDS, False), "nobody knows the end"
            assert "Retry-After" not in response.headers


async def test_it_outlives_every_server_and_ends_by_itself(start_server: StartServer, tmp_path: Path) -> None:
    first = await start_server()
    async with operator_by_socket(first, tmp_path) as line:
        await begin(line, seconds=3600)
    second = await start_server()
    async with connected(second.url) as player:
        assert (await player.event("maintenance"))["on"]
        assert (await refused(player, "create_pair_quiz", {}))["code"] == "maintenance"
        await second.running.database.fetch("UPDATE pairquiz.maintenance SET until = now()")
        assert not (await player.event("maintenance"))["on"]
        assert (await player.ask("create_pair_quiz", {}))["ok"]


async def test_a_challenge_waits_until_it_is_over(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        connected(server.url) as third,
        operator_by_socket(server, tmp_path) as line,
    ):
        started = await started_match(first, second)
        for player in (first, second):
            for place in range(5):
                await player.ask("submit_answer", answering(started, place))
        for player in (first, second):
            await player.event("quiz_results")
        made = await first.ask("create_challenge", {"session_id": started["session_id"]})
        accept = {"challenge_code": made["challenge_code"]}
        await begin(line)
        assert (await refused(third, "accept_challenge", accept))["code"] == "maintenance"
        await end(line)
        assert (await third.ask("accept_challenge", accept))["ok"]


async def test_a_second_word_takes_the_place_of_the_first(server: Server, tmp_path: Path) -> None:
    async with connected(server.url) as player, operator_by_socket(server, tmp_path) as line:
        await begin(line, message="One", seconds=7200)
        assert (await player.event("maintenance"))["message"] == "One"
        await begin(line, message="Two", seconds=30 * 24 * 3600)
        assert (await player.event("maintenance"))["message"] == "Two"
        assert (await line.ask("show_maintenance", MaintenanceState)).message == "Two"
        await end(line)


async def test_who_plays_in_a_terminal_is_told_and_not_kept_waiting(server: Server, tmp_path: Path) -> None:
    line = Line(server.url, None)
    await line.open()
    async with operator_by_socket(server, tmp_path) as by_operator:
        await begin(by_operator)
        with pytest.raises(Refusal, match=WORDS):
            await line.ask("create_pair_quiz", {})
    await line.close()
