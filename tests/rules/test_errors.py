"""The codes that clients rely on."""

import re

import pytest

from pairquiz_server.rules.errors import MESSAGES, RETRYABLE, Code, Refused


def test_codes_are_unique_and_snake_case() -> None:
    assert len({code.value for code in Code}) == len(Code.__members__)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in Code)


@pytest.mark.parametrize("code", Code)
def test_code_is_the_name_in_small_letters(code: Code) -> None:
    assert code.value == code.name.lower()


def test_every_code_has_a_message_of_one_line() -> None:
    assert MESSAGES.keys() == set(Code)
    assert all(message and "\n" not in message for message in MESSAGES.values())
    assert len(set(MESSAGES.values())) == len(MESSAGES)


@pytest.mark.parametrize(
    ("code", "message"), [(Code.NOT_FOUND, "Session not found"), (Code.SESSION_FULL, "Session is full")]
)
def test_messages_that_frontends_know_are_fixed(code: Code, message: str) -> None:
    assert Refused(code).message == str(Refused(code)) == message


# Written down from the contract: a code that was published stays.
@pytest.mark.parametrize(
    "published",
    [
        "not_found",
        "session_full",
        "not_a_player",
        "own_match",
        "wrong_state",
        "too_late",
        "already_answered",
        "unknown_question",
        "invalid_payload",
        "unknown_command",
        "unauthorized",
        "forbidden",
        "not_enough_questions",
        "storage_unavailable",
        "draining",
    ],
)
def test_published_code_stays(published: str) -> None:
    assert Code(published)


def test_only_faults_of_the_server_invite_a_retry() -> None:
    assert {code for code in Code if Refused(code).retry} == RETRYABLE
    assert {
        "rate_limited",
        "too_many_connections",
        "server_full",
        "keys_unavailable",
        "storage_unavailable",
        "draining",
        "maintenance",
        "internal",
    } == RETRYABLE


def test_refusal_says_something_more_exact_where_it_can() -> None:
    refusal = Refused(Code.NOT_ENOUGH_QUESTIONS, "Only three", available=3)
    assert (refusal.message, str(refusal), refusal.details) == ("Only three", "Only three", {"available": 3})
    assert refusal.code is Code.NOT_ENOUGH_QUESTIONS
