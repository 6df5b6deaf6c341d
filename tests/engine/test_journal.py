"""What the log says of a match, and what it never says."""

from collections.abc import Awaitable
from typing import Any

import pytest

from pairquiz_server.engine.caller import Caller
from pairquiz_server.engine.submission import Told
from pairquiz_server.engine.telling import Settled, Telling
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.commands import LeaveMatch
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import MatchCreated
from pairquiz_server.rules.player import Player
from tests.engine.stage import ALICE, BOB, CAROL, MARGIN_MS, RULES, Node, answer

ALLOWED_FIELDS = {
    "event", "log_level", "session_id", "version", "topic", "request", "reason",
    "command", "outcome", "size", "moved", "ms",
}  # fmt: skip


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


def lives(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in logs if event["log_level"] == "info" and "session_id" in event]


async def test_life_of_a_match_is_logged_by_its_turns(node: Node, logs: list[dict[str, Any]]) -> None:
    match = await node.started(question_count=1)
    for player in (ALICE, BOB):
        await node.send(answer(match, player, 0, 0))
    assert [(line["event"], line["version"], line.get("reason")) for line in lives(logs)] == [
        ("match_created", 1, None),
        ("match_joined", 2, None),
        ("match_started", 3, None),
        ("match_ended", 6, "all_answered"),
    ]
    assert {(line["session_id"], line["topic"]) for line in lives(logs)} == {(match.id, "General")}


async def test_match_that_a_player_leaves_and_one_that_nobody_joins_say_why(
    node: Node, logs: list[dict[str, Any]]
) -> None:
    match = await node.started()
    await node.play(node.game.leave, BOB, match_id=match.id)
    await node.waiting()
    node.clock.at += RULES.waiting_ttl_ms + MARGIN_MS
    await node.sweeper.sweep()
    assert [(line["event"], line.get("reason")) for line in lives(logs)[3:]] == [
        ("player_left", "player_left"),
        ("match_ended", "player_left"),
        ("match_created", None),
        ("match_expired", "nobody_joined"),
    ]


async def test_command_is_followed_through_the_log_by_its_request(node: Node, logs: list[dict[str, Any]]) -> None:
    async def create(player: Player, request: int) -> None:
        def act(caller: Caller, **wishes: Any) -> Awaitable[None] | None:
            caller.request = request
            return node.game.create(caller, **wishes)

        await node.play(act, player, topic="General")

    await create(ALICE, 1001)
    await create(CAROL, 1002)
    assert [line["event"] for line in logs if line.get("request") == 1002] == ["command_settled", "match_created"]


async def test_what_a_batch_has_told_is_in_the_log_before_the_loop_goes_on(
    node: Node, logs: list[dict[str, Any]]
) -> None:
    matches = [await node.waiting() for _ in range(2)]
    del logs[:]
    heard: list[str] = []
    watched: list[Decision] = []
    telling = Telling(lambda decision, origin: heard.append(decision.match.id), watched.append, Metrics())
    told: Settled = []
    for request, match in enumerate(matches):
        command = LeaveMatch(match_id=match.id, player_id=ALICE.id)
        asked = Told(command=command, arrived_at=0, request=request, tell=lambda outcome: None)
        told.append((asked, Decision(match, (MatchCreated(1),))))
    telling.all(told)
    assert heard == [match.id for match in matches] == [decision.match.id for decision in watched]
    assert [(line["session_id"], line["request"]) for line in lives(logs)] == [
        (match.id, request) for request, match in enumerate(matches)
    ]


async def test_log_of_a_whole_match_holds_no_question_and_no_key_even_at_debug(
    node: Node, logs: list[dict[str, Any]]
) -> None:
    match = await node.started(question_count=5)
    for place, question in enumerate(match.questions):
        await node.send(answer(match, ALICE, place, question.correct))
        await node.send(answer(match, ALICE, place, (question.correct + 1) % 4))
        await node.send(answer(match, CAROL, place, question.correct))
    await node.play(node.game.start, BOB, match_id=match.id)
    await node.play(node.game.complete, BOB, match_id=match.id)

    assert {field for line in logs for field in line} <= ALLOWED_FIELDS
    written = repr(logs)
    for question in match.questions:
        assert question.text not in written
        # What has hexadecimal digits alone may by chance stand in an id.
        telling = [
            option for option in question.options if len(option) > 2 and not set(option) <= set("0123456789abcdef-")
        ]
        assert not [option for option in telling if option in written]
    settled = [line["outcome"] for line in logs if line["event"] == "command_settled"]
    assert settled.count("already_answered") == 5
    assert settled.count("not_a_player") == 5
