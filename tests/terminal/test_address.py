"""What people type as an address leads to a server, and perhaps into a match."""

import pytest

from pairquiz_server.client.address import Address, Invitation, address, invitation
from pairquiz_server.client.errors import ClientError

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("http://localhost:8000", Address("http://localhost:8000")),
        ("localhost:8000", Address("http://localhost:8000")),
        ("127.0.0.1:9000", Address("http://127.0.0.1:9000")),
        ("http://[::1]:8000/", Address("http://[::1]:8000")),
        ("192.168.1.5:8000", Address("http://192.168.1.5:8000")),
        ("[fd00::5]:8000", Address("http://[fd00::5]:8000")),
        ("quiz.example", Address("https://quiz.example")),
        ("quiz.example:8443", Address("https://quiz.example:8443")),
        ("ws://localhost:8000", Address("http://localhost:8000")),
        ("wss://quiz.example/", Address("https://quiz.example")),
        (
            f"https://quiz.example/pair-quiz/{SESSION}",
            Address("https://quiz.example", Invitation("session_id", SESSION)),
        ),
        (
            f"localhost:8000/pair-quiz/{SESSION.upper()}/",
            Address("http://localhost:8000", Invitation("session_id", SESSION)),
        ),
        (
            "https://quiz.example/pair-quiz/challenge/7KQ2M3XP9ABC",
            Address("https://quiz.example", Invitation("challenge_code", "7KQ2M3XP9ABC")),
        ),
    ],
)
def test_an_address_is_read_as_it_is_meant(typed: str, meant: Address) -> None:
    assert address(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://",
        "ftp://quiz.example",
        "http://me@quiz.example",
        "http://quiz.example:port",
        "http://[::1",
        "a b\n",
        "https://quiz.example/elsewhere",
    ],
)
def test_what_is_no_address_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(ClientError) as refused:
        address(typed)
    assert repr(typed) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_invitation_is_an_id_or_a_code() -> None:
    assert invitation(SESSION) == Invitation("session_id", SESSION)
    assert invitation(" 7kq2-m3xp ") == Invitation("join_code", "7kq2-m3xp")
