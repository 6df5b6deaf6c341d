"""Cursors: what was given is read back, by the same player alone, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.protocol import cursors as cursors_module
from pairquiz_server.protocol.cursors import Cursors
from pairquiz_server.rules.errors import Code, Refused

CURSORS = Cursors(b"a secret that all nodes share")
PLACES = st.tuples(st.integers(0, 1 << 62), st.uuids().map(str))


@given(PLACES, st.text(min_size=1, max_size=128, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_place_is_read_as_it_was_written(place: tuple[int, str], player_id: str) -> None:
    text = CURSORS.write(player_id, place)
    assert CURSORS.read(player_id, text) == place
    assert len(text) == 50
    assert text.isascii()


@given(PLACES, st.integers(0, 49), st.sampled_from("AZaz09-_"))
def test_a_changed_character_is_refused(place: tuple[int, str], at: int, character: str) -> None:
    text = CURSORS.write("anna", place)
    changed = text[:at] + character + text[at + 1 :]
    if changed != text:
        _refused("anna", changed)


@given(st.text() | st.text(alphabet="ABCabc019-_=", min_size=40, max_size=60))
def test_what_was_made_up_is_refused(text: str) -> None:
    _refused("anna", text)


def test_somebody_elses_is_refused_and_so_is_another_secrets() -> None:
    place = (1, "00000000-0000-0000-0000-000000000001")
    _refused("ben", CURSORS.write("anna", place))
    _refused("anna", Cursors(b"another secret").write("anna", place))


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = CURSORS.write("anna", (1, "00000000-0000-0000-0000-000000000001"))
    monkeypatch.setattr(cursors_module, "VERSION", 2)
    _refused("anna", text)


def _refused(player_id: str, text: str) -> None:
    with pytest.raises(Refused) as refusal:
        CURSORS.read(player_id, text)
    assert refusal.value.code is Code.INVALID_PAYLOAD
