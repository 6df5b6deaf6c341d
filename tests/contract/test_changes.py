"""A change of each kind: whether it breaks a client, and that it does not land without a line, or a version."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from pairquiz_server.contract.changes import changes
from pairquiz_server.contract.publication import complaints
from pairquiz_server.contract.surface import Surface, surface

Plant = Callable[[Surface], Any]
LINE = "# Changelog\n\n## Unreleased\n\n- It has `{}` now.\n\n## 1.0\n"


def keys(surface: Surface, struct: str) -> dict[str, Any]:
    found: dict[str, Any] = surface["schemas"][struct]["properties"]
    return found


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def required(surface: Surface, struct: str) -> list[str]:
    found: list[str] = surface["schemas"][struct]["required"]
    return found


ADDED: dict[str, tuple[str, Plant]] = {
    "an event": ("news", lambda new: new["events"].update(news=["Left"])),
    "a command": ("shout", lambda new: new["commands"].update(shout={"payload": "StartQuiz", "replies": ["Left"]})),
    "a route": ("news", lambda new: new["routes"].update(news=new["routes"]["alive"])),
    "an error code": ("too_loud", lambda new: new["codes"].append("too_loud")),
    "a key of an event": ("mood", lambda new: keys(new, "QuizState").update(mood={"type": "string"})),
    "a key of an inner struct": ("mood", lambda new: keys(new, "Receipt").update(mood={"type": "string"})),
    "a key that may be sent": ("mood", lambda new: keys(new, "StartQuiz").update(mood={"type": "string"})),
    "a key that is always there now": ("lang", lambda new: required(new, "QuestionView").append("lang")),
    "a key that may be left out": ("reason", lambda new: required(new, "ReportQuestion").remove("reason")),
    "a wider range of what is sent": (
        "question_count", lambda new: keys(new, "CreatePairQuiz")["question_count"]["anyOf"][0].update(maximum=60),
    ),
    "another type of what is sent": (
        "token", lambda new: keys(new, "RefreshToken").update(token=or_null(keys(new, "RefreshToken")["token"])),
    ),
    "a query that may be left out": ("show_me", lambda new: new["routes"]["show_me"].update(query="PageQuery")),
    "a word less of what is received": ("reason", lambda new: new["schemas"]["EndedBy"]["enum"].pop()),
    "a token that is needed no more": ("show_player", lambda new: new["routes"]["show_player"].update(auth="none")),
}  # fmt: skip
BREAKING: dict[str, tuple[str, Plant]] = {
    "an event is gone": ("opponent_left", lambda new: new["events"].pop("opponent_left")),
    "a command is gone": ("sync_clock", lambda new: new["commands"].pop("sync_clock")),
    "a route is gone": ("alive", lambda new: new["routes"].pop("alive")),
    "a route is elsewhere": ("alive", lambda new: new["routes"]["alive"].update(route="GET /health")),
    "an error code is gone": ("too_late", lambda new: new["codes"].remove("too_late")),
    "a route needs a payload": ("show_me", lambda new: new["routes"]["show_me"].update(payload="StartQuiz")),
    "another status": ("create_session", lambda new: new["routes"]["create_session"].update(status=200)),
    "a token is needed": ("list_topics", lambda new: new["routes"]["list_topics"].update(auth="token")),
    "a key of CONNECT is gone": ("protocol", lambda new: keys(new, "ConnectAuth").pop("protocol")),
    "a key of an event is gone": ("score", lambda new: keys(new, "OwnAnswer").pop("score")),
    "a key of an inner struct is gone": ("judged_at", lambda new: keys(new, "Receipt").pop("judged_at")),
    "a key that was sent is gone": ("join_code", lambda new: keys(new, "JoinPairQuiz").pop("join_code")),
    "a key may be missing": ("status", lambda new: required(new, "QuizState").remove("status")),
    "a key must be sent": ("pace", lambda new: required(new, "CreatePairQuiz").append("pace")),
    "a new key must be sent": (
        "mood",
        lambda new: (keys(new, "StartQuiz").update(mood={"type": "string"}), required(new, "StartQuiz").append("mood")),
    ),
    "a narrower range of what is sent": (
        "question_count", lambda new: keys(new, "CreatePairQuiz")["question_count"]["anyOf"][0].update(maximum=20),
    ),
    "a type less of what is sent": ("answer", lambda new: keys(new, "SubmitAnswer").update(answer={"type": "integer"})),
    "a word less of what is sent": ("scoring", lambda new: new["schemas"]["ScoringProfile"]["enum"].pop()),
    "a word more of what is received": ("reason", lambda new: new["schemas"]["EndedBy"]["enum"].append("boredom")),
    "null of what is received": (
        "score", lambda new: keys(new, "Completed").update(score={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ),
    "another type of what is received": ("score", lambda new: keys(new, "Completed").update(score={"type": "string"})),
    "another unit": ("time_limit", lambda new: keys(new, "QuizStarted")["time_limit"].update({"x-unit": "ms"})),
    "another answer to a command": (
        "start_quiz", lambda new: new["commands"]["start_quiz"]["replies"].append("Left"),
    ),
}  # fmt: skip


def planted(plant: Plant) -> tuple[Surface, Surface]:
    old = surface()
    new = deepcopy(old)
    plant(new)
    return old, new


def test_what_is_the_same_is_no_change() -> None:
    assert changes(surface(), surface()) == []


@pytest.mark.parametrize(("name", "plant"), ADDED.values(), ids=ADDED)
def test_what_an_older_client_may_ignore_needs_its_line_alone(name: str, plant: Plant) -> None:
    old, new = planted(plant)
    assert list(complaints(old, new, LINE.format(name))) == []
    (complaint,) = complaints(old, new, LINE.format("nothing such"))
    assert f"name `{name}` in a line under Unreleased in CHANGELOG.md" in complaint


@pytest.mark.parametrize(("name", "plant"), BREAKING.values(), ids=BREAKING)
def test_what_an_older_client_would_notice_needs_another_version(name: str, plant: Plant) -> None:
    old, new = planted(plant)
    told = list(complaints(old, new, LINE.format(name)))
    assert told
    assert all("raise PROTOCOL_VERSION (pairquiz_server/protocol/versions.py)" in line for line in told)
    new["protocol"] += 1
    assert list(complaints(old, new, LINE.format(name))) == []
    assert list(complaints(old, new, "# Changelog\n\n## Unreleased\n")) != []


def test_a_line_of_an_older_release_tells_nothing() -> None:
    old, new = planted(ADDED["an event"][1])
    assert list(complaints(old, new, "## Unreleased\n\n## 1.0\n\n- `news`\n")) != []
