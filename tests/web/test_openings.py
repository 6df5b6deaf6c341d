"""From the first greeting to the first question: what the sender is answered, once, and who else hears of it."""

from typing import Any
from uuid import UUID

import pytest

from tests.client import connected, ready_match
from tests.conftest import Server
from tests.web.duel import duel, names, perform, with_and_without_ack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_everybody_is_welcomed_first(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        welcome = client.welcome
        assert welcome.keys() == {"user_id", "guest_token", "server_time", "protocol", "region", "sessions"}
        assert welcome["user_id"].startswith("guest:")
        assert (welcome["protocol"], welcome["region"], welcome["sessions"]) == (1, "local", [])


async def test_two_strangers_who_both_claim_to_be_user_1_are_two_guests(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        created = await first.ask("create_pair_quiz", {"user_id": 1, "topic": "General"})
        joined = await second.ask("join_pair_quiz", {"user_id": 1, "session_id": created["session_id"]})
        assert joined["ok"], joined
        assert first.user_id != second.user_id


@with_and_without_ack
async def test_creator_hears_quiz_created_in_each_tab(shared_server: Server, ack: bool) -> None:
    async with duel(shared_server) as players:
        answer = await perform(players.first, "create_pair_quiz", {"user_id": 1, "topic": "General"}, ack=ack)
        first, tab, second = await players.settled()
        created = first[0][1]
        assert names(first) == names(tab) == ["quiz_created"]
        assert second == []
        assert created.keys() == {
            "session_id", "topic", "join_url", "join_code", "status", "pace", "scoring", "version",
        }  # fmt: skip
        assert str(UUID(created["session_id"])) == created["session_id"]
        assert created["join_url"] == f"/pair-quiz/{created['session_id']}"
        assert (created["topic"], created["status"]) == ("General", "waiting_for_opponent")
        assert len(created["join_code"]) == 8
        assert answer == ({"ok": True, **created} if ack else None)


@pytest.mark.parametrize("payload", [None, {}, {"topic": None, "question_count": None, "request_id": None}])
async def test_creator_needs_no_payload(shared_server: Server, payload: Any) -> None:
    async with connected(shared_server.url) as client:
        created = await client.ask("create_pair_quiz", payload)
        assert (created["ok"], created["topic"]) == (True, "General")


async def test_a_null_payload_and_arguments_after_it_are_taken(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        await client.send_frame('42["create_pair_quiz",null]')
        assert (await client.event("quiz_created"))["topic"] == "General"
        await client.send_frame('42["create_pair_quiz",{"topic":" general "},{"topic":"nothing"},7]')
        assert (await client.event("quiz_created"))["topic"] == "General"


@with_and_without_ack
@pytest.mark.parametrize("by", ["session_id", "join_code"])
async def test_joiner_and_creator_hear_opponent_joined(shared_server: Server, ack: bool, by: str) -> None:
    async with duel(shared_server) as players:
        created = await players.first.ask("create_pair_quiz")
        await players.settled()
        key = created[by] if by == "session_id" else f"{created[by][:4]}-{created[by][4:]} ".lower()
        answer = await perform(players.second, "join_pair_quiz", {by: key, "user_id": 1}, ack=ack)
        second, first, tab = [await one.settled() for one in (players.second, players.first, players.tab)]
        assert names(first) == names(tab) == names(second) == ["opponent_joined"]
        joined = second[0][1]
        assert joined.keys() == {"session_id", "status", "opponent", "version"}
        assert (joined["session_id"], joined["status"]) == (created["session_id"], "ready_to_start")
        assert joined["opponent"].keys() == {"display_name", "connected", "kind"}
        assert joined["opponent"]["connected"] is True
        assert first[0][1]["opponent"] != joined["opponent"]
        assert answer == ({"ok": True, **joined} if ack else None)


@with_and_without_ack
@pytest.mark.parametrize("starter", ["first", "second"])
async def test_either_player_starts_and_both_hear_the_same_questions(
    shared_server: Server, ack: bool, starter: str
) -> None:
    async with duel(shared_server) as players:
        session_id = await ready_match(players.first, players.second, time_limit=20, question_count=3)
        await players.settled()
        answer = await perform(getattr(players, starter), "start_quiz", {"session_id": session_id}, ack=ack)
        await getattr(players, starter).event("quiz_started") if not ack else None
        heard = [started for one in await players.settled() for _, started in one]
        assert len(heard) == (3 if ack else 2)
        started = heard[0]
        assert all(one == started for one in heard)
        assert started.keys() == {
            "session_id", "questions", "time_limit", "started_at", "deadline_at", "pace", "scoring", "version",
        }  # fmt: skip
        assert (started["time_limit"], started["pace"], len(started["questions"])) == (20, "free", 3)
        assert started["deadline_at"] - started["started_at"] == 3 * 20 * 1000
        for question in started["questions"]:
            assert {"id", "text", "options", "kind"} <= question.keys() <= {"id", "text", "options", "kind", "lang"}
            assert len(question["options"]) == 4
        assert answer == ({"ok": True, **started} if ack else None)


@pytest.mark.parametrize("client_time", [1700000000000, 0, 1.5, None])
async def test_a_client_sets_its_clock(shared_server: Server, client_time: Any) -> None:
    async with connected(shared_server.url) as client:
        answer = await client.ask("sync_clock", {"client_time": client_time})
        assert answer == {"ok": True, "client_time": client_time, "server_time": answer["server_time"]}
        assert answer["server_time"] >= client.welcome["server_time"]
        await client.emit("sync_clock", {"client_time": client_time})
        assert await client.settled() == []


async def test_commands_sent_at_once_are_answered_in_their_order(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        for number in range(20):
            await client.emit("create_pair_quiz", {"request_id": str(number // 2)})
        heard = await client.settled()
        assert names(heard) == ["quiz_created"] * 20
        assert [payload.get("duplicate", False) for _, payload in heard] == [False, True] * 10


@pytest.mark.parametrize("name", ["disconnect", "connect", "connect_error", "", "message", "nothing such", "é" * 100])
@with_and_without_ack
async def test_an_unknown_command_is_answered_and_never_counts_as_a_bad_frame(
    shared_server: Server, name: str, ack: bool
) -> None:
    async with connected(shared_server.url) as client:
        for _ in range(6):
            if ack:
                answer = await client.ask(name, {})
                assert answer["ok"] is False
                error = answer["error"]
            else:
                await client.emit(name, {})
                error = await client.event("error")
                assert error.pop("command") == name[:64]
            assert error.keys() == {"code", "message", "retry"}
            assert (error["code"], error["retry"]) == ("unknown_command", False)
        assert await client.settled() == []


async def test_commands_sent_at_once_are_carried_out_in_their_order(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        for number in range(2):  # the second time everything is at hand, and nothing has to be waited for
            session = {"session_id": (await first.ask("create_pair_quiz"))["session_id"]}
            await second.emit("join_pair_quiz", session)
            await second.emit("start_quiz", session)
            left = await second.ask("resume_pair_quiz", session)
            assert (left["status"], left["version"]) == ("in_progress", 3), number
            assert (await second.ask("leave_pair_quiz", session))["ok"]
