"""A connection hears of each change once."""

import pytest

from pairquiz_server.loadtest.finding import Fault
from pairquiz_server.loadtest.versions import Versions


def kinds(versions: Versions) -> list[Fault]:
    return [fault for fault, _ in versions.faults()]


def heard(*some: int) -> Versions:
    versions = Versions()
    for version in some:
        versions.hear("event", version)
    return versions


def test_a_match_may_be_joined_in_the_middle() -> None:
    assert kinds(heard(7, 8, 9)) == []


def test_what_comes_late_is_not_missing() -> None:
    assert kinds(heard(1, 3, 2)) == []


def test_what_never_comes_is_missed() -> None:
    assert kinds(heard(1, 3)) == [Fault.MISSED]


def test_the_same_of_one_version_is_told_once() -> None:
    assert kinds(heard(1, 2, 2)) == [Fault.DOUBLED]


def test_two_things_may_be_one_change() -> None:
    versions = heard(1, 2)
    versions.hear("results", 2)
    assert kinds(versions) == []


def test_a_state_has_in_it_what_was_left_out() -> None:
    versions = heard(1, 4)
    versions.whole(4)
    assert kinds(versions) == []


@pytest.mark.parametrize(("before", "faults"), [((1, 2), []), ((1, 3), [Fault.MISSED])])
def test_another_connection_begins_anew_but_mends_nothing(before: tuple[int, ...], faults: list[Fault]) -> None:
    versions = heard(*before)
    versions.forget()
    versions.whole(9)
    versions.hear("event", 10)
    assert kinds(versions) == faults
