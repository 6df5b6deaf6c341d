"""Places are counted by address and in all, and given back once."""

import pytest

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.places import Places, Room


def refusal(places: Places, address: str) -> Code | None:
    try:
        places.take(address).leave()
    except Refused as refused:
        return refused.code
    return None


def test_a_place_is_given_back_once_however_often_it_is_left() -> None:
    places = Places(Room(total=3, per_address=2))
    first, second, third = places.take("here"), places.take("here"), places.take("there")
    assert refusal(places, "here") is Code.TOO_MANY_CONNECTIONS
    assert refusal(places, "elsewhere") is Code.SERVER_FULL
    for _ in range(3):
        first.leave()
    assert (len(places), places.addresses()) == (2, 2)
    assert refusal(places, "here") is None
    second.leave()
    third.leave()
    assert (len(places), places.addresses()) == (0, 0)


@pytest.mark.parametrize("room", [Room(0, 0), Room(0, 500), Room(500, 0)])
def test_no_room_is_no_limit(room: Room) -> None:
    places = Places(room)
    assert {places.take("here") is None for _ in range(500)} == {False}
