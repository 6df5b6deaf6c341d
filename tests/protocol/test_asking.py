"""A client's event packets: the short way reads what the thorough one reads, and refuses nothing."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairquiz_server.protocol import asking
from pairquiz_server.protocol.asking import Asked, read
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.frames import BadFrame, EventFrame
from pairquiz_server.protocol.payloads import SubmitAnswer
from pairquiz_server.rules.errors import Refused

SESSION = "01234567-89ab-4cde-8f01-23456789abcd"
ANSWER = {"session_id": SESSION, "question_id": 7, "answer": 2}
KEYS = sorted({key for row in COMMANDS.values() for key in row.payload.__struct_fields__})
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | st.just(SESSION) | TEXT | st.lists(st.integers(), max_size=2)
PACKETS = st.builds(
    lambda ack, name, payload, more, spaced: (
        f"2{ack}{json.dumps([name, *payload, *more], separators=None if spaced else (',', ':'))}"
    ),
    st.sampled_from(["", "0", "7", "12", "007", "999999999999999", "1234567890123456", "x", "-1", "/a,"]),
    st.sampled_from([*COMMANDS, "nothing_such"]) | TEXT,
    st.lists(st.dictionaries(st.sampled_from(KEYS) | TEXT, VALUES) | VALUES, max_size=1),
    st.lists(VALUES, max_size=1),
    st.booleans(),
)


@given(text=PACKETS, cut=st.sampled_from([0, 0, 0, 1, 2]))
@example(text=f'21["submit_answer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'21["submit_answer",{json.dumps(ANSWER)}, 7 ]', cut=0)
@example(text=f'21["submit_answer", {json.dumps(ANSWER)} ]', cut=0)
@example(text=f'21[ "submit_answer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'21["submit\\u005fanswer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'21["submit_answer",{json.dumps(ANSWER)}]]', cut=0)
@example(text=f'21["submit_answer",{json.dumps(ANSWER)}],]', cut=0)
@example(text=f'2/admin,["submit_answer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'2007["submit_answer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'21234567890123456["submit_answer",{json.dumps(ANSWER)}]', cut=0)
@example(text=f'21["submit_answer",{json.dumps(ANSWER)}}}', cut=0)
@example(text='2["sync_clock"]', cut=0)
@example(text='2["sync_clock",null]', cut=0)
@example(text='2["sync_clock",{"x":"\\ud83d"}]', cut=0)
@example(text='2["create_pair_quiz",{"topic":"\\ud83d"}]', cut=0)
@example(text='2["sync_clock",{"client_time":1,"client_time":2}]', cut=0)
@example(text='2["sync_clock",{"x":' + "[" * 10_000 + "]" * 10_000 + "}]", cut=0)
@example(text="2", cut=0)
@example(text='2"["sync_clock",{}]', cut=0)
def test_the_short_way_reads_what_the_thorough_one_reads(text: str, cut: int) -> None:
    packet = text[: len(text) - cut].encode()
    assert outcome(read, packet) == outcome(asking._read_thoroughly, packet)


@pytest.mark.parametrize("ack", [b"", b"1", b"999999999999999"])
def test_a_packet_as_clients_write_it_is_read_in_one_pass(ack: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode_event(packet: bytes) -> EventFrame:
        raise AssertionError("read twice")

    monkeypatch.setattr(asking, "decode_event", decode_event)
    asked = read(b"2%b" % ack + json.dumps(["submit_answer", ANSWER], separators=(",", ":")).encode())
    assert asked == Asked(
        "submit_answer", COMMANDS["submit_answer"], ack or None, msgspec.convert(ANSWER, type=SubmitAnswer)
    )


def test_a_name_that_is_none_of_ours_is_kept_short() -> None:
    asked = read(b'2["%b",{}]' % (b"n" * 10_000))
    assert (asked.row, asked.payload, asked.name) == (None, None, "n" * asking.NAME_SHOWN_MAX)


def outcome(way: object, packet: bytes) -> object:
    assert callable(way)
    try:
        asked: Asked = way(packet)
    except BadFrame:
        return "a bad frame"
    payload = asked.payload
    if isinstance(payload, Refused):
        payload = (payload.code, payload.message)  # type: ignore[assignment]
    return asked.name, asked.row, asked.ack, payload
