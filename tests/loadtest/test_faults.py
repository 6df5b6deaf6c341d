"""A load test finds what is wrong, and nothing where all is well. Each fault is put in by who stands between."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server.client.errors import NoServer, Refusal
from pairquiz_server.loadtest import players
from pairquiz_server.loadtest.advice import advice
from pairquiz_server.loadtest.wire import Transport
from tests.conftest import Server, StartServer
from tests.doctor.nginx import nginx
from tests.loadtest.closed import closed_loop
from tests.loadtest.meddler import Meddler, Mend
from tests.loadtest.packets import (
    edited,
    is_answers_acknowledgement,
    is_opponents_answer,
    is_results,
    is_right_answers_acknowledgement,
    once,
    raised_score,
)
from tests.loadtest.trial import trial

SHARED = pytest.mark.asyncio(loop_scope="session")
BRIEF_S = 0.5
"""Where an acknowledgement is known to be lost, nobody waits for it long."""


def wrong_points(said: dict[str, Any]) -> None:
    for place in (said, said["receipt"]):
        place["points"] -= 7
    said["receipt"]["reason"] = f"right: 100, for speed: {said['points'] - 100}"


def late(said: dict[str, Any]) -> None:
    said["receipt"]["arrived_at"] += 60_000
    said["receipt"]["judged_at"] += 60_000


def other_sum(said: dict[str, Any]) -> None:
    said["your_score"] += 100


def forgotten_answer(said: dict[str, Any]) -> None:
    answered = next(one for one in said["questions"] if one["your_answer"] is not None)
    answered.update(your_answer=None, your_points=0, receipt=None)


def one_stall(meddler: Meddler) -> Mend:
    """Hold back all that the server says for half a second, once: from behind an acknowledgement."""
    stalls: list[asyncio.Task[None]] = []

    def stall(packet: str) -> list[str]:
        stalls.append(asyncio.create_task(meddler.stall(0.5)))
        return [packet]

    return once(is_answers_acknowledgement, stall)


@SHARED
@pytest.mark.parametrize("transport", Transport)
async def test_a_server_that_keeps_its_promises_is_found_clean(unlimited: Server, transport: Transport) -> None:
    found = await trial(unlimited.url, transport=transport)
    assert (found.ended.found, found.unanswered, found.window.troubles) == ({}, 0, {})
    assert found.ended.answers == found.window.due == found.window.sent == found.window.latency.total
    assert 40 < found.window.opponent.total <= found.window.due  # the last ones may be heard of when it is over
    assert found.ended.matches > 2  # each pair went from a match to the next one


@SHARED
@pytest.mark.parametrize(
    ("fits", "change", "faults"),
    [
        (is_answers_acknowledgement, lambda packet: [], {"unacknowledged"}),
        (is_answers_acknowledgement, lambda packet: [packet, packet], {"malformed"}),
        (is_answers_acknowledgement, edited(raised_score), {"wrong_score", "disagreement"}),
        (is_right_answers_acknowledgement, edited(wrong_points), {"wrong_score"}),
        (is_answers_acknowledgement, edited(late), {"wrong_score"}),
        (is_opponents_answer, lambda packet: [packet, packet], {"doubled"}),
        (is_opponents_answer, lambda packet: [], {"missed"}),
        (is_opponents_answer, edited(raised_score), {"disagreement"}),
        (is_results, lambda packet: [packet, packet], {"doubled"}),
        (is_results, edited(other_sum), {"wrong_score", "disagreement"}),
        (is_results, edited(forgotten_answer), {"lost"}),
        (is_results, lambda packet: [], {"never_ended"}),
    ],
    ids=[
        "acknowledgement dropped", "acknowledgement doubled", "score changed", "points changed", "time changed",
        "event doubled", "event dropped", "event changed", "results doubled", "results changed", "answer lost",
        "results dropped",
    ],
)  # fmt: skip
async def test_a_fault_is_found(meddler: Meddler, fits: Callable[[str], bool], change: Mend, faults: set[str]) -> None:
    meddler.mend = once(fits, change)
    brief = {"unacknowledged", "never_ended"} & faults
    found = await trial(meddler.url, pairs=1, patience_s=BRIEF_S if brief else 20)
    assert faults <= set(found.ended.found)


@SHARED
@pytest.mark.parametrize("question_count", [44, 5], ids=["within a match", "also waiting for the next match"])
async def test_a_stall_is_seen_by_all_who_would_have_answered(meddler: Meddler, question_count: int) -> None:
    """Short matches are used up before the stall is over: what cannot even be sent then has waited as well."""
    meddler.mend = one_stall(meddler)
    found = await trial(meddler.url, pairs=1, rate=100, seconds=2, question_count=question_count)
    assert found.ended.found == {}
    assert found.window.latency.percentile(80) > 50
    assert found.window.latency.percentile(99) > 400


@SHARED
async def test_a_stall_is_hidden_where_each_acknowledgement_is_waited_for(meddler: Meddler) -> None:
    """What the rate is kept for: of 300 answers one is late, and the p99 of such a test would leave out three."""
    meddler.mend = one_stall(meddler)
    latency = await closed_loop(meddler.url, answers=300, question_count=44)
    assert latency.longest_ms > 400
    assert latency.percentile(99) < 400


@SHARED
async def test_a_lost_line_is_mended_and_told(meddler: Meddler) -> None:
    cuts: list[asyncio.Task[None]] = []
    meddler.mend = once(
        is_answers_acknowledgement, lambda packet: cuts.append(asyncio.create_task(meddler.cut())) or []
    )
    found = await trial(meddler.url, pairs=1, rate=40, seconds=1)
    assert found.ended.found == {}
    assert found.window.troubles["connection_lost"] == 2
    assert (found.ended.answers, found.unanswered) == (found.window.due, 0)


async def test_what_does_not_speak_socket_io_is_no_server(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server()
    with nginx(tmp_path, server.url, server='location /socket.io/ { return 200 "hello"; }') as url:
        for transport in Transport:
            with pytest.raises(NoServer):
                await trial(url, transport=transport)


async def test_a_limit_is_named(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__COMMANDS_PER_S="20", PAIRQUIZ_LIMITS__COMMANDS_BURST="10")
    found = await trial(server.url, pairs=1, rate=100, seconds=0.5)
    assert "submit_answer:rate_limited" in found.window.troubles
    assert (found.ended.found, found.unanswered) == ({}, 0)


async def test_a_server_that_takes_no_more_connections_says_which_limit_it_is(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "TRY_AGAIN_S", 0.01)
    server = await start_server(PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS="3")
    with pytest.raises(Refusal) as refused:
        await trial(server.url, pairs=2)
    assert advice([f"connect:{refused.value.code}"]) != []
