"""The report finds what is planted: a check that cannot fail is worth nothing."""

from typing import Any

import pytest

from tests.fuzz.report import GROWTH_MAX, SLOWEST_MAX_S, findings, text
from tests.fuzz.run import Outcome, Plan


def sound(**planted: Any) -> Outcome:
    seen: dict[str, Any] = {
        "frames": 1000,
        "sessions": {"polling": 3},
        "rss_start": 1 << 20,
        "rss_warm": 2 << 20,
        "rss_end": 3 << 20,
        "matches": 7,
        "slowest_s": 0.2,
        "refusals": {"bad_frame": 5.0, "unknown_command": 7.0},
        "log": '{"event": "refused", "level": "info"}\n',
        **planted,
    }
    return Outcome(Plan(1000, 1), **seen)


PLANTS: dict[str, tuple[dict[str, Any], str]] = {
    "a traceback": ({"log": '{"level": "error", "exception": "Traceback (most'}, "traceback"),
    "an error": ({"log": '{"event": "Task exception was never retrieved", "level": "error"}\n'}, "never retrieved"),
    "an early end": ({"frames": 999}, "999 frames"),
    "a wrong score": ({"wrongs": ["7 points"]}, "7 points"),
    "no match": ({"matches": 0}, "no match"),
    "a neighbour who waits": ({"slowest_s": SLOWEST_MAX_S + 1}, "waited"),
    "a session that hangs": ({"stuck": ["polling"]}, "neither served nor closed"),
    "a leak": ({"rss_end": (2 << 20) + GROWTH_MAX + 1}, "memory grew"),
    "a session that is left": ({"left": {"sessions": 1.0}}, "1 sessions are left"),
    "frames that do not arrive": ({"refusals": {}}, "did not arrive"),
}


def test_a_sound_run_has_no_findings() -> None:
    assert findings(sound()) == []
    assert text(sound()).endswith("nothing was found")


@pytest.mark.parametrize(("plant", "said"), PLANTS.values(), ids=PLANTS.keys())
def test_a_plant_is_found(plant: dict[str, Any], said: str) -> None:
    (found,) = findings(sound(**plant))[:1]
    assert said in found
    assert not text(sound(**plant)).endswith("nothing was found")
