"""Socket.IO's text: any of it is read or is a bad frame, and what we write is what a client expects."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairquiz_server.protocol import frames
from pairquiz_server.protocol.events import ClockSync, Sessions
from pairquiz_server.protocol.frames import BadFrame, decode_event
from pairquiz_server.rules.errors import Code, Refused

DEEP = "[" * 10_000


class Nothing(msgspec.Struct):
    """A payload without a key."""


@pytest.mark.parametrize(
    ("text", "name", "payload", "ack"),
    [
        ('2["a"]', "a", None, None),
        ('2["a",{}]', "a", b"{}", None),
        ('2["a",{"b":[1]},2,3]', "a", b'{"b":[1]}', None),
        ('20["a",null]', "a", b"null", 0),
        ('212["a",7]', "a", b"7", 12),
        ('2000000000000007["a"]', "a", None, 7),
        ('2999999999999999["a"]', "a", None, 999999999999999),
        ('2["",""]', "", b'""', None),
        ('2[ "a" , {} ]', "a", b"{}", None),
        ('2["a\\n\\u2028é😀"]', "a\n\u2028é😀", None, None),
        ('2["\\ud83d\\ude00"]', "😀", None, None),
        ('2["\\ud83d"]', "\x00", None, None),
        ('2["a",{"b":"x\\ude00y"}]', "a", b'{"b":"x\\u0000y"}', None),
        ('2["a","\\ud83d","\\\\ud83d"]', "a", b'"\\u0000"', None),
        ('2["a","\\\\\\ud83d\\\\ud83d\\ud83d\\ude00"]', "a", b'"\\\\\\u0000\\\\ud83d\\ud83d\\ude00"', None),
    ],
)
def test_an_event_is_read(text: str, name: str, payload: bytes | None, ack: int | None) -> None:
    frame = decode_event(text.encode())
    assert (frame.name, frame.ack) == (name, None if ack is None else str(ack).encode())
    assert (None if frame.payload is None else bytes(frame.payload)) == payload


@pytest.mark.parametrize(
    "text",
    ["", "2", "2[", "2[]", "2{}", "2[1]", "2[null]", '2["a"', '2["a"]x', '2["a",]', '2["a"] ["b"]', '2/admin,["a"]',
     '2-1["a"]', '2٣["a"]', '21234567890123456["a"]', '3["a"]', '["a"]', ' 2["a"]', '2 ["a"]', '2["a",NaN]',
     f'2["a",{DEEP}]', f"2{DEEP}", '2["a",{"b":1}', '2["\\x"]', '2["\n"]', '2["\ud800"]', '2["a","\ud800"]',
     '2["\\ud83"]'],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_what_cannot_be_read_is_a_bad_frame(text: str) -> None:
    with pytest.raises(BadFrame):
        decode_event(text.encode(errors="surrogatepass"))


EVENTS = st.builds(
    lambda ack, arguments, cut: f"2{ack}{json.dumps(arguments)}"[: cut or None],
    st.sampled_from(["", "0", "7", "x", "-"]),
    st.lists(st.none() | st.integers() | st.text(st.characters()) | st.dictionaries(st.text(), st.text())),
    st.integers(min_value=-3, max_value=0),
)


@given(text=st.text(st.characters()) | EVENTS)
@example("2" + DEEP)
@example('2["a",' + '{"a":' * 10_000)
def test_any_text_is_an_event_or_a_bad_frame(text: str) -> None:
    try:
        frame = decode_event(text.encode(errors="surrogatepass"))
    except BadFrame:
        return
    assert isinstance(frame.name, str)
    frame.name.encode()


def test_an_acknowledgement_is_the_payload_and_ok() -> None:
    text = frames.acknowledgement(b"7", ClockSync(client_time=1, server_time=2))
    assert text == b'37[{"ok":true,"client_time":1,"server_time":2}]'
    assert frames.acknowledgement(b"0", Sessions([])) == b'30[{"ok":true,"sessions":[]}]'


def test_an_acknowledgement_without_a_payload_is_ok_alone() -> None:
    assert frames.acknowledgement(b"12", Nothing()) == b'312[{"ok":true}]'


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])), message=st.text(st.characters(exclude_categories=["Cs"]))
)
def test_a_refusal_is_json_whatever_it_says(name: str, message: str) -> None:
    refusal = Refused(Code.NOT_ENOUGH_QUESTIONS, message or "x", available=3)
    error = {"code": "not_enough_questions", "message": message or "x", "retry": False, "available": 3}
    assert json.loads(frames.refusal_acknowledgement(b"3", refusal)[2:]) == [{"ok": False, "error": error}]
    assert json.loads(frames.refusal_event(refusal, name)[1:]) == ["error", {**error, "command": name}]


def test_an_event_is_its_name_and_its_payload() -> None:
    assert (
        frames.event("welcome", ClockSync(client_time=None, server_time=2))
        == b'2["welcome",{"client_time":null,"server_time":2}]'
    )


def test_what_may_succeed_later_says_so() -> None:
    retryable = {code for code in Code if frames.problem(Refused(code)).retry}
    assert retryable == {
        Code.RATE_LIMITED,
        Code.TOO_MANY_CONNECTIONS,
        Code.SERVER_FULL,
        Code.KEYS_UNAVAILABLE,
        Code.STORAGE_UNAVAILABLE,
        Code.DRAINING,
        Code.MAINTENANCE,
        Code.INTERNAL,
    }
