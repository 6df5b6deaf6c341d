"""The tests' own clients find what the contract has not: a key too many, a key too few, another type, another code."""

from typing import Any

import pytest

from pairquiz_server.contract.examples import example, least
from pairquiz_server.protocol.events import Problem, QuizState, Searching
from tests.fits import Misfit, acknowledgement_fits, event_fits

STATE = example(QuizState)
REFUSAL = least(Problem)


def test_what_the_contract_has_fits() -> None:
    event_fits("quiz_state", least(QuizState))
    acknowledgement_fits("find_opponent", {"ok": True} | least(Searching))
    acknowledgement_fits("find_opponent", {"ok": False, "error": REFUSAL})


@pytest.mark.parametrize(
    "payload",
    [
        STATE | {"seed": 7},
        STATE | {"opponent": STATE["opponent"] | {"email": "x"}},
        {key: value for key, value in STATE.items() if key != "version"},
        STATE | {"your_score": "480"},
        STATE | {"status": "paused"},
        STATE | {"join_code": None},
    ],
    ids=["a key too many", "a key too many inside", "a key too few", "another type", "another word", "null for none"],
)
def test_an_event_that_is_otherwise_is_found(payload: Any) -> None:
    with pytest.raises(Misfit, match="quiz_state does not fit the contract: QuizState"):
        event_fits("quiz_state", payload)


def test_an_event_that_is_in_no_table_is_found() -> None:
    with pytest.raises(Misfit, match="there is no event 'quiz_over'"):
        event_fits("quiz_over", {})


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True},
        {"ok": True, "seeking": True, "rank": 1},
        {"ok": False, "error": REFUSAL, "seeking": True},
        {"ok": False, "error": REFUSAL | {"code": "too_late"}},
        {"ok": False, "error": REFUSAL | {"traceback": "…"}},
        {"seeking": True},
    ],
    ids=["a key too few", "a key too many", "both", "a code of others", "a key too many of a refusal", "neither"],
)
def test_an_acknowledgement_that_is_otherwise_is_found(answer: Any) -> None:
    with pytest.raises(Misfit):
        acknowledgement_fits("find_opponent", answer)
