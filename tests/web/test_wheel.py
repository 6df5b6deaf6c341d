"""Who is due when."""

from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.web.sockets.wheel import Wheel

TURN_S = 0.25
spans_s = st.floats(0, 100, allow_nan=False)


def test_an_item_is_due_in_the_turn_after_its_time() -> None:
    wheel = Wheel[str](TURN_S, 10.0)
    wheel.put("soon", 10.3)
    assert wheel.take(10.4) == []
    assert wheel.take(10.5) == ["soon"]
    assert wheel.take(10.8) == []


def test_what_is_due_already_comes_in_the_next_turn() -> None:
    wheel = Wheel[str](TURN_S, 10.0)
    wheel.put("late", 3.0)
    assert wheel.take(10.2) == []
    assert wheel.take(10.25) == ["late"]


def test_what_is_put_in_while_others_are_looked_at_is_not_lost() -> None:
    wheel = Wheel[str](TURN_S, 10.0)
    wheel.put("again and again", 10.0)
    for turn in range(1, 9):
        for item in wheel.take(10.0 + turn * TURN_S):
            wheel.put(item, 10.0)
            break
        else:
            raise AssertionError(f"nobody was due in turn {turn}")


@given(st.lists(spans_s), st.lists(spans_s, min_size=1))
def test_each_comes_once_and_none_too_soon_or_a_turn_late(due_s: list[float], looks_s: list[float]) -> None:
    wheel = Wheel[float](TURN_S, 0.0)
    for at in due_s:
        wheel.put(at, at)
    taken: list[float] = []
    for now in [*sorted(looks_s), 200.0]:
        items = wheel.take(now)
        assert all(at <= now for at in items)
        taken += items
        assert all(at > now - 2 * TURN_S for at in due_s if at not in taken)
    assert sorted(taken) == sorted(due_s)
