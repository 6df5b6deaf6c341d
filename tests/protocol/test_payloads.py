"""How a payload becomes a command: types, ranges, lengths, and what nobody would send on purpose."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.protocol import payloads, reading
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.expectations import in_words
from pairquiz_server.protocol.reading import parse
from pairquiz_server.rules.errors import Code, Refused

SESSION = "01234567-89ab-4cde-8f01-23456789abcd"
GOOD: dict[str, dict[str, Any]] = {
    "create_pair_quiz": {
        "user_id": 1, "topic": "General", "question_count": 5, "time_limit": 30, "pace": "free",
        "scoring": "speed_bonus", "request_id": "r",
    },
    "join_pair_quiz": {"user_id": "1", "session_id": SESSION, "join_code": "ABCD1234"},
    "start_quiz": {"session_id": SESSION},
    "submit_answer": {"session_id": SESSION, "question_id": 7, "answer": 0},
    "quiz_completed": {"session_id": SESSION, "score": 480},
    "resume_pair_quiz": {"session_id": SESSION},
    "leave_pair_quiz": {"session_id": SESSION},
    "find_opponent": {
        "topic": "History", "question_count": 5, "time_limit": 30, "pace": "free", "scoring": "speed_bonus",
        "accept_ghost": True,
    },
    "cancel_find_opponent": {},
    "block_player": {"session_id": SESSION},
    "unblock_player": {"session_id": SESSION},
    "request_rematch": {"session_id": SESSION},
    "report_question": {"session_id": SESSION, "question_id": 7, "reason": "unclear", "note": "Which one?"},
    "refresh_token": {"token": "a.b.c"},
    "create_challenge": {"session_id": SESSION},
    "accept_challenge": {"challenge_code": "7KQ2M4XA7KQ2"},
    "set_profile": {"display_name": "Ada", "record_runs": False},
    "sync_clock": {"client_time": 1},
}  # fmt: skip
REQUIRED = {
    "start_quiz": ["session_id"],
    "submit_answer": ["session_id", "question_id", "answer"],
    "quiz_completed": ["session_id"],
    "leave_pair_quiz": ["session_id"],
    "block_player": ["session_id"],
    "unblock_player": ["session_id"],
    "request_rematch": ["session_id"],
    "report_question": ["session_id", "question_id", "reason"],
    "refresh_token": ["token"],
    "create_challenge": ["session_id"],
    "accept_challenge": ["challenge_code"],
}
OPTIONAL = [(name, key) for name, good in GOOD.items() for key in good if key not in REQUIRED.get(name, [])]


def read(command: str, payload: Any) -> Any:
    return parse(COMMANDS[command].payload, json.dumps(payload).encode())


def refusal(command: str, payload: Any) -> str:
    with pytest.raises(Refused) as refused:
        read(command, payload)
    assert refused.value.code is Code.INVALID_PAYLOAD
    assert "\n" not in refused.value.message
    return refused.value.message


def test_every_command_has_a_good_payload_here() -> None:
    assert GOOD.keys() == COMMANDS.keys()
    for name, row in COMMANDS.items():
        assert GOOD[name].keys() == set(row.payload.__struct_fields__)


@pytest.mark.parametrize("command", GOOD)
def test_a_good_payload_is_read_and_unknown_keys_are_ignored(command: str) -> None:
    expected = GOOD[command]
    found = read(command, {**expected, "nothing such": {"a": [1]}, "": None, "scores": "x"})
    assert msgspec.structs.asdict(found) == expected


@pytest.mark.parametrize("data", [None, b"null", b" null\n", b"{}", msgspec.Raw(b"null")])
@pytest.mark.parametrize("command", GOOD)
def test_a_missing_payload_and_null_are_the_empty_object(command: str, data: bytes | None) -> None:
    if command in REQUIRED:
        with pytest.raises(Refused, match=f"{REQUIRED[command][0]}: is missing"):
            parse(COMMANDS[command].payload, data)
    else:
        assert set(msgspec.structs.astuple(parse(COMMANDS[command].payload, data))) <= {None}


@pytest.mark.parametrize(("command", "key"), OPTIONAL)
def test_an_optional_key_that_is_null_is_absent(command: str, key: str) -> None:
    assert getattr(read(command, {**GOOD[command], key: None}), key) is None


@pytest.mark.parametrize(("command", "keys"), REQUIRED.items())
def test_a_required_key_is_missed_by_its_name(command: str, keys: list[str]) -> None:
    for key in keys:
        rest = {name: value for name, value in GOOD[command].items() if name != key}
        assert refusal(command, rest).startswith(f"{key}: is missing: expected ")
        assert refusal(command, {**rest, key: None}).startswith(f"{key}: expected ")


@pytest.mark.parametrize(
    ("command", "key", "choices"),
    [
        ("create_pair_quiz", "pace", "free, rounds, or null"),
        ("find_opponent", "scoring", "speed_bonus, accuracy, negative, difficulty, practice, or null"),
        ("report_question", "reason", "wrong_answer, unclear, outdated, offensive, or other"),
    ],
)
def test_a_word_that_is_none_of_the_choices_is_told_them(command: str, key: str, choices: str) -> None:
    assert refusal(command, GOOD[command] | {key: "x"}) == f"{key}: expected {choices}"


@pytest.mark.parametrize(
    ("command", "payload", "message"),
    [
        ("create_pair_quiz", {"topic": 1}, "topic: expected a string or null, got a number"),
        ("create_pair_quiz", {"question_count": "5"},
         "question_count: expected a whole number from 1 to 50 or null, got a string"),
        ("create_pair_quiz", {"question_count": 51}, "question_count: expected a whole number from 1 to 50 or null"),
        ("create_pair_quiz", {"request_id": ""}, "request_id: expected a string of 1 to 64 characters or null"),
        ("join_pair_quiz", {"user_id": []}, "user_id: expected a number, a string, or null, got an array"),
        ("start_quiz", {"session_id": None}, "session_id: expected a string, got null"),
        ("start_quiz", {}, "session_id: is missing: expected a string"),
        ("submit_answer", {"session_id": "", "question_id": 7, "answer": True},
         "answer: expected a whole number or a string, got a boolean"),
        ("submit_answer", {"session_id": "", "question_id": 7, "answer": 1.5},
         "answer: expected a whole number or a string, got a number with a decimal point"),
        ("find_opponent", {"accept_ghost": {}}, "accept_ghost: expected true, false, or null, got an object"),
        ("refresh_token", {"token": ""}, "token: expected a string that is not empty"),
        ("sync_clock", [1], "The payload: expected an object, got an array"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_words_of_json(command: str, payload: Any, message: str) -> None:
    assert refusal(command, payload) == message


def test_no_payload_has_a_kind_of_key_that_there_are_no_words_for() -> None:
    for row in COMMANDS.values():
        for field in msgspec.structs.fields(row.payload):
            assert in_words(msgspec.inspect.type_info(field.type))


TEXT, NUMBER = [1, 1.5, True, [], {}], ["5", "", 5.0, 5.5, True, [], {}]
HUGE = 10**30
WRONG = {
    ("create_pair_quiz", "user_id"): [True, [], {}],
    ("create_pair_quiz", "topic"): TEXT,
    ("create_pair_quiz", "question_count"): [*NUMBER, 0, 51, -1, HUGE, -HUGE],
    ("create_pair_quiz", "time_limit"): [*NUMBER, 4, 301, -30, HUGE],
    ("create_pair_quiz", "pace"): [*TEXT, "", "Free", "free "],
    ("create_pair_quiz", "scoring"): [*TEXT, "", "none"],
    ("create_pair_quiz", "request_id"): [*TEXT, "", "x" * 65, "x" * 10_000],
    ("join_pair_quiz", "user_id"): [False, [], {}],
    ("join_pair_quiz", "session_id"): TEXT,
    ("join_pair_quiz", "join_code"): [*TEXT, "", "x" * 65],
    ("start_quiz", "session_id"): TEXT,
    ("submit_answer", "session_id"): TEXT,
    ("submit_answer", "question_id"): [1.5, 1.0, True, [], {}],
    ("submit_answer", "answer"): [1.5, 0.0, True, False, [], {}, [0]],
    ("quiz_completed", "session_id"): TEXT,
    ("quiz_completed", "score"): [True, [], {}],
    ("resume_pair_quiz", "session_id"): TEXT,
    ("leave_pair_quiz", "session_id"): TEXT,
    ("refresh_token", "token"): [*TEXT, ""],
    ("sync_clock", "client_time"): ["1", True, [], {}],
}


@pytest.mark.parametrize(("place", "values"), WRONG.items(), ids=map(" ".join, WRONG))
def test_a_wrong_value_is_refused_by_its_key(place: tuple[str, str], values: list[Any]) -> None:
    command, key = place
    for value in values:
        message = refusal(command, {**GOOD[command], key: value})
        assert message.startswith(f"{key}: "), (value, message)
        assert len(message) < 120


RIGHT = {
    ("create_pair_quiz", "user_id"): [0, -1, 1.5, HUGE, "", "x" * 10_000, "\x00"],
    ("create_pair_quiz", "question_count"): [1, 50],
    ("create_pair_quiz", "time_limit"): [5, 300],
    ("create_pair_quiz", "request_id"): ["x", "x" * 64, "é" * 64],
    ("join_pair_quiz", "join_code"): ["x", "x" * 64],
    ("submit_answer", "answer"): [0, 3, -1, HUGE, "", "0", "x" * 10_000],
    ("submit_answer", "question_id"): [0, -1, HUGE, "7", ""],
    ("sync_clock", "client_time"): [0, -1, 1.5, HUGE],
}


@pytest.mark.parametrize(("place", "values"), RIGHT.items(), ids=map(" ".join, RIGHT))
def test_a_value_at_the_edge_is_taken(place: tuple[str, str], values: list[Any]) -> None:
    command, key = place
    for value in values:
        assert getattr(read(command, {**GOOD[command], key: value}), key) == value


@pytest.mark.parametrize("data", [b"[]", b"7", b'"x"', b"true", b"1.5"])
def test_a_payload_that_is_no_object_is_refused(data: bytes) -> None:
    for row in COMMANDS.values():
        with pytest.raises(Refused, match="expected an object, got "):
            parse(row.payload, data)


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b"{}x", b"{'a':1}", b'{"a":NaN}', b"[" * 30_000, b'{"x":' * 30_000, b'{"topic":"\xff"}', b"\xff",
     b'{"topic":"\\ud800"}', b'{"topic":"a\nb"}', b'{"topic":"\\x"}', b"\x00", b"nul", b'{"user_id":1e999}',
     b'{"user_id":' + b"9" * 20_000 + b"}"],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse(payloads.CreatePairQuiz, data)
    assert refused.value.code is Code.INVALID_PAYLOAD


KEYS = sorted({key for good in GOOD.values() for key in good})
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(payload=JSON)
def test_any_json_is_a_payload_or_is_refused(payload: Any) -> None:
    for row in COMMANDS.values():
        try:
            parse(row.payload, json.dumps(payload).encode())
        except Refused as refused:
            assert refused.code is Code.INVALID_PAYLOAD  # noqa: PT017  (what else it raises is the failure)


@given(data=st.binary())
def test_any_bytes_are_a_payload_or_are_refused(data: bytes) -> None:
    for row in COMMANDS.values():
        try:
            parse(row.payload, data)
        except Refused as refused:
            assert refused.code is Code.INVALID_PAYLOAD  # noqa: PT017  (what else it raises is the failure)


@pytest.mark.parametrize("text", [SESSION, SESSION.upper(), f"urn:{SESSION.replace('-', '')}"])
def test_a_session_id_is_a_uuid(text: str) -> None:
    assert reading.session_id(text) == SESSION


@given(text=st.text() | st.text(min_size=36, max_size=36) | st.text("0123456789abcdef-{}", min_size=36, max_size=36))
def test_what_is_no_uuid_is_not_found(text: str) -> None:
    try:
        assert reading.session_id(text) == str(UUID(text))
    except Refused as refused:
        assert refused.code is Code.NOT_FOUND  # noqa: PT017  (what else it raises is the failure)


@pytest.mark.parametrize(
    ("value", "number"), [(7, 7), (-1, -1), (HUGE, HUGE), ("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)]
)
def test_a_question_id_is_an_integer_or_its_text(value: int | str, number: int) -> None:
    assert reading.question_id(value) == number


@pytest.mark.parametrize("value", ["", " 7", "7.0", "+7", "-7", "0x7", "٣", "²", "9" * 19, "9" * 10_000, "\x00"])
def test_a_question_id_of_another_text_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="question_id: expected a whole number"):
        reading.question_id(value)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        (None, "General"),
        ("General", "General"),
        (" General  knowledge\n", "General knowledge"),
        ("x" * 80, "x" * 80),
        ("  " + "x" * 80 + "  ", "x" * 80),
        ("e\u0301", "é"),
        ("日本", "日本"),
        ("😀", "😀"),
        ("\t x \x85", "x"),
    ],
)
def test_a_topic_is_tidied(text: str | None, topic: str) -> None:
    assert reading.topic(text) == topic


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n", "x" * 81, "x" * 10_000, "\u0301" * 50_000, "General" + " " * 900 + "x", "a\x00b", "a\tb", "a\nb",
     "a\x7fb", "a\x9fb", "a\x85b", "\ud83d", "x\ude00y", "\x00", "a\uffffb", "\U0010ffff"],
    ids=lambda text: ascii(text[:12]),
)  # fmt: skip
def test_a_topic_that_is_none_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(Refused, match=r"^topic: ") as refused:
        reading.topic(text)
    assert refused.value.code is Code.INVALID_PAYLOAD


@given(text=st.text(st.characters()))
def test_any_topic_that_is_taken_can_be_stored(text: str) -> None:
    try:
        name = reading.topic(text)
    except Refused:
        return
    assert "\x00" not in name.encode().decode()
    assert 1 <= len(name) <= 80


@pytest.mark.parametrize("text", ["\x00", "a\nb", "\x7f", "\ud800"])
def test_a_text_with_control_characters_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(Refused, match=r"^request_id: has control characters$"):
        reading.clean("request_id", text)


@pytest.mark.parametrize("text", [None, "", "x", "é 😀", "\u200d"])
def test_a_text_without_control_characters_is_taken_as_it_is(text: str | None) -> None:
    assert reading.clean("request_id", text) == text


@pytest.mark.parametrize(
    ("claimed", "label"),
    [(None, None), (1, "1"), (1.5, "1.5"), ("anna", "anna"), ("", None), ("x" * 128, "x" * 128), ("x" * 129, None),
     ("\x00", None), ("\ud800", None), (10**4000, None), (-1, "-1")],
)  # fmt: skip
def test_a_guests_claim_is_kept_where_it_can_be(claimed: Any, label: str | None) -> None:
    assert reading.label(claimed) == label
