"""Commands that are refused: one answer with a stable code, and the match stays as it was."""

import json
from typing import Any

import pytest

from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def refused(client: Client, command: str, payload: Any, code: str) -> dict[str, Any]:
    """Send a command both ways, and return the error, which is the only answer each time."""
    answer = await client.ask(command, payload)
    assert answer.keys() == {"ok", "error"}, answer
    assert answer["ok"] is False
    assert answer["error"]["code"] == code, answer
    await client.emit(command, payload)
    heard = await client.settled()
    assert heard == [("error", {**answer["error"], "command": command})]
    error: dict[str, Any] = answer["error"]
    assert error["retry"] is False
    assert error["message"]
    assert "\n" not in error["message"]
    return error


def session(session_id: str, **rest: Any) -> dict[str, Any]:
    return {"session_id": session_id, **rest}


COMMANDS_OF_A_SESSION = {
    "join_pair_quiz": {},
    "start_quiz": {},
    "submit_answer": {"question_id": 1, "answer": 0},
    "quiz_completed": {"score": 0},
    "leave_pair_quiz": {},
    "resume_pair_quiz": {},
}
UNKNOWN_SESSION = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("command", COMMANDS_OF_A_SESSION)
@pytest.mark.parametrize("unknown", [UNKNOWN_SESSION, "", "nonsense", "x" * 10_000, "\x00" * 36, "é" * 36])
async def test_a_player_names_a_session_that_nobody_knows(shared_server: Server, command: str, unknown: str) -> None:
    async with connected(shared_server.url) as client:
        payload = session(unknown, **COMMANDS_OF_A_SESSION[command])
        error = await refused(client, command, payload, "not_found")
        assert error["message"] == "Session not found"


@pytest.mark.parametrize("command", [name for name in COMMANDS_OF_A_SESSION if name != "join_pair_quiz"])
async def test_a_stranger_commands_the_session_of_others(shared_server: Server, command: str) -> None:
    async with (
        connected(shared_server.url) as first,
        connected(shared_server.url) as second,
        connected(shared_server.url) as stranger,
    ):
        started = await started_match(first, second)
        payload = session(started["session_id"], **COMMANDS_OF_A_SESSION[command])
        await refused(stranger, command, payload, "not_a_player")
        assert await first.settled() == await second.settled() == []


async def test_a_third_player_joins_a_full_session(shared_server: Server) -> None:
    async with (
        connected(shared_server.url) as first,
        connected(shared_server.url) as second,
        connected(shared_server.url) as third,
    ):
        created = await first.ask("create_pair_quiz")
        await second.ask("join_pair_quiz", session(created["session_id"]))
        error = await refused(third, "join_pair_quiz", session(created["session_id"]), "session_full")
        assert error["message"] == "Session is full"
        await refused(third, "join_pair_quiz", {"join_code": created["join_code"]}, "not_found")  # void once joined


async def test_a_creator_joins_the_own_session(shared_server: Server) -> None:
    async with connected(shared_server.url) as first:
        created = await first.ask("create_pair_quiz")
        await first.event("quiz_created")
        await refused(first, "join_pair_quiz", session(created["session_id"]), "own_match")
        await refused(first, "join_pair_quiz", {"join_code": created["join_code"]}, "own_match")


async def test_players_command_in_the_wrong_state(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        waiting = (await first.ask("create_pair_quiz"))["session_id"]
        await first.event("quiz_created")
        for command in ("start_quiz", "submit_answer", "quiz_completed"):
            await refused(first, command, session(waiting, **COMMANDS_OF_A_SESSION[command]), "wrong_state")
        ready = await ready_match(first, second)
        for command in ("submit_answer", "quiz_completed"):
            await refused(second, command, session(ready, **COMMANDS_OF_A_SESSION[command]), "wrong_state")
        await first.ask("leave_pair_quiz", session(ready))
        await second.settled()
        await refused(second, "start_quiz", session(ready), "wrong_state")


async def test_players_answer_what_cannot_be_answered(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        started = await started_match(first, second)
        question = started["questions"][0]
        answered = session(started["session_id"], question_id=question["id"], answer=0)
        assert (await first.ask("submit_answer", answered))["ok"]
        await second.settled()
        await refused(first, "submit_answer", {**answered, "answer": 1}, "already_answered")
        await refused(first, "submit_answer", {**answered, "answer": question["options"][1]}, "already_answered")
        for unknown in (0, -1, 2**31, 2**63, 10**30, "0", "999999999999999999"):
            await refused(first, "submit_answer", {**answered, "question_id": unknown}, "unknown_question")
        for other in (4, -1, 2**63, 10**30, "", "no such option", "0", "x" * 10_000):
            error = await refused(second, "submit_answer", {**answered, "answer": other}, "invalid_payload")
            assert error["message"].startswith("answer: ")
        await first.ask("quiz_completed", session(started["session_id"]))
        await second.settled()
        other = session(started["session_id"], question_id=started["questions"][1]["id"], answer=0)
        await refused(first, "submit_answer", other, "wrong_state")
        state = await second.ask("resume_pair_quiz", session(started["session_id"]))
        assert (state["your_answers"], state["opponent"]["answered"]) == ({}, 1)


@pytest.mark.parametrize(("topic", "available"), [("No such topic", 0), ("Animals", 20)])
async def test_a_creator_asks_for_more_questions_than_there_are(
    shared_server: Server, topic: str, available: int
) -> None:
    async with connected(shared_server.url) as client:
        wish = {"topic": topic, "question_count": 50}
        error = await refused(client, "create_pair_quiz", wish, "not_enough_questions")
        assert error["available"] == available


HUGE = int("9" * 4000)
CONTROL = ["\x00", "a\x00b", "a\x07b", "a\nb", "a\u0085b", "a\x7fb"]
TEXTS = [7, 1.5, True, [], {}]
NOT_A_SESSION = [7, 1.5, True, ["x"], {}]
MALFORMED: list[tuple[str, str, list[Any]]] = [
    ("create_pair_quiz", "topic", [*TEXTS, *CONTROL, "", "   ", "x" * 81, "x" * 10_000, "General" + " " * 900 + "x"]),
    ("create_pair_quiz", "question_count", [0, 51, -1, HUGE, 5.0, 5.5, True, "5", [], {}]),
    ("create_pair_quiz", "time_limit", [4, 301, -1, HUGE, 30.0, True, "30", [], {}]),
    ("create_pair_quiz", "pace", ["", "FREE", "slow", 1, True, [], {}]),
    ("create_pair_quiz", "scoring", ["", "other", 1, True, [], {}]),
    ("create_pair_quiz", "request_id", [*TEXTS, *CONTROL, "", "x" * 65, "x" * 10_000]),
    ("create_pair_quiz", "user_id", [True, [], {}]),
    ("join_pair_quiz", "user_id", [False, [1], {}]),
    ("join_pair_quiz", "session_id", NOT_A_SESSION),
    ("join_pair_quiz", "join_code", [*TEXTS, *CONTROL, "", "x" * 65, "x" * 10_000]),
    ("start_quiz", "session_id", [None, *NOT_A_SESSION]),
    ("submit_answer", "session_id", [None, *NOT_A_SESSION]),
    ("submit_answer", "question_id", [None, 1.5, 1.0, True, [], {}, "", "1.0", "-1", "x", "٣", "9" * 19, "9" * 10_000]),
    ("submit_answer", "answer", [None, 0.0, True, False, [], {}]),
    ("quiz_completed", "session_id", [None, *NOT_A_SESSION]),
    ("leave_pair_quiz", "session_id", [None, *NOT_A_SESSION]),
    ("resume_pair_quiz", "session_id", NOT_A_SESSION),
    ("sync_clock", "client_time", [True, "0", [], {}]),
]


@pytest.mark.parametrize(("command", "key", "values"), MALFORMED, ids=[f"{row[0]} {row[1]}" for row in MALFORMED])
async def test_a_malformed_value_is_refused_by_its_key(
    shared_server: Server, command: str, key: str, values: list[Any]
) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        started = await started_match(first, second)
        good = {
            "session_id": started["session_id"],
            "question_id": started["questions"][0]["id"],
            "answer": 0,
        }
        if command == "join_pair_quiz" and key == "join_code":
            good.pop("session_id")
        for value in values:
            error = await refused(first, command, {**good, key: value}, "invalid_payload")
            assert error["message"].startswith(f"{key}: "), error
        state = await first.ask("resume_pair_quiz", session(started["session_id"]))
        assert (state["version"], state["status"]) == (started["version"], "in_progress")
        assert await second.settled() == []


@pytest.mark.parametrize("payload", [[], ["x"], 7, 1.5, "x", True, False], ids=repr)
async def test_a_payload_that_is_no_object_is_refused(shared_server: Server, payload: Any) -> None:
    async with connected(shared_server.url) as client:
        for command in (*COMMANDS_OF_A_SESSION, "create_pair_quiz", "sync_clock"):
            await refused(client, command, payload, "invalid_payload")


@pytest.mark.parametrize("command", [name for name in COMMANDS_OF_A_SESSION if name != "resume_pair_quiz"])
async def test_a_missing_key_is_refused_by_its_name(shared_server: Server, command: str) -> None:
    async with connected(shared_server.url) as client:
        error = await refused(client, command, {}, "invalid_payload")
        assert error["message"].startswith("session_id: is missing")


@pytest.mark.parametrize("user_id", [1, -1.5, 0, "", "x" * 10_000, "a\x00b", "guest:x", None, int("9" * 4000)])
async def test_a_guest_may_claim_to_be_anybody(shared_server: Server, user_id: Any) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        created = await first.ask("create_pair_quiz", {"user_id": user_id})
        joined = await second.ask("join_pair_quiz", session(created["session_id"], user_id=user_id))
        assert (created["ok"], joined["ok"]) == (True, True)


@pytest.mark.parametrize(
    "payload",
    [
        '{"user_id":"\\ud800"}',
        '{"user_id":"\\udfff\\\\ud800"}',
        '{"user_id":1e999}',
        '{"user_id":%s}' % ("9" * 20_000),
        '{"x":%s}' % ("[" * 900 + "]" * 900),
        '{"topic":"General","topic":"\\u0000"}',
        '{"question_count":%s}' % ("9" * 20_000),
    ],
    ids=lambda payload: payload[:24],
)
async def test_json_that_only_a_hostile_client_sends_is_answered(shared_server: Server, payload: str) -> None:
    async with connected(shared_server.url) as client:
        await client.send_frame(f'421["create_pair_quiz",{payload}]')
        client._next_ack = 2
        await client.settled()
        answer = client._acks.pop(1)
        assert answer["ok"] or answer["error"]["code"] == "invalid_payload", answer


@pytest.mark.parametrize("half", ["\\ud83d", "x\\uDE00", "\\ude00\\ud83d", "\\\\\\ud83d"])
@pytest.mark.parametrize("key", ["topic", "request_id", "join_code"])
async def test_an_emoji_cut_in_two_is_refused_by_its_key(shared_server: Server, key: str, half: str) -> None:
    command = "join_pair_quiz" if key == "join_code" else "create_pair_quiz"
    async with connected(shared_server.url) as client:
        for _ in range(6):
            await client.send_frame(f'42["{command}",{{"{key}":"{half}"}}]')
            error = await client.event("error")
            assert (error["code"], error["message"].split(":")[0]) == ("invalid_payload", key)


async def test_a_whole_emoji_is_taken_beside_a_cut_one(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        await client.send_frame('42["create_pair_quiz",{"user_id":"\\ud83d","request_id":"\\ud83d\\ude00 \\\\ud83d"}]')
        await client.event("quiz_created")
        again = await client.ask("create_pair_quiz", {"request_id": "😀 \\ud83d"})
        assert again["duplicate"] is True


async def test_unknown_keys_are_ignored(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        created = await client.ask("create_pair_quiz", {"nothing such": [1], "version": "x", "topic": "General"})
        assert created["ok"]


async def test_a_refusal_is_json_whatever_the_client_called_its_command(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        name = 'a"b\\c\n\u2028\x00' * 20
        await client.send_frame("42" + json.dumps([name, {}]))
        error = await client.event("error")
        assert error["command"] == name[:64]
