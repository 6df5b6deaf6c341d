"""The sweeper: what it ends, to the millisecond, beside others of its kind, and whatever happens to its database."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pairquiz_server.engine import sweeper as sweeper_module
from pairquiz_server.engine.sweeper import FORGET_EVERY_MS, LONGEST_SLEEP_MS, REQUEST_IDS_HOLD_MS
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import EndReason, MatchEnded, MatchExpired, MatchStarted
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.store.matches import DueMatch
from pairquiz_server.store.pool import StorageUnavailable
from tests.engine.stage import ALICE, MARGIN_MS, RULES, Node, answer, code, opened_database


@pytest.fixture
async def database_url(shared_database_url: str) -> str:
    """A database without any match."""
    async with opened_database(shared_database_url) as database:
        await database.fetch("DELETE FROM pairquiz.matches")
    return shared_database_url


@pytest.mark.parametrize(
    ("make", "span_ms", "status", "reason"),
    [
        (Node.waiting, RULES.waiting_ttl_ms, Status.EXPIRED, EndReason.NOBODY_JOINED),
        (Node.ready, RULES.ready_ttl_ms, Status.EXPIRED, EndReason.NEVER_STARTED),
        (Node.started, 5 * 30_000, Status.COMPLETED, EndReason.DEADLINE),
    ],
)
async def test_match_ends_when_its_time_and_the_margin_are_over_and_not_a_millisecond_sooner(
    node: Node, make: Callable[[Node], Awaitable[Match]], span_ms: int, status: Status, reason: EndReason
) -> None:
    match = await make(node)
    begun = node.clock.at
    node.clock.at = begun + span_ms + MARGIN_MS - 1
    assert await node.sweeper.sweep() == 1
    assert await node.stored(match) == match

    node.clock.at += 1
    assert await node.sweeper.sweep() == LONGEST_SLEEP_MS
    over = await node.stored(match)
    assert (over.status, over.end_reason, over.ended_at) == (status, reason, node.clock.at)
    assert node.told_of(match.id)[-1] == (
        MatchEnded(over.version, reason) if status is Status.COMPLETED else MatchExpired(over.version, reason)
    )

    heard = len(node.told)
    await node.sweeper.sweep()
    assert len(node.told) == heard


async def test_paired_match_starts_by_itself_to_the_millisecond_and_once_on_two_nodes(
    node: Node, other_node: Node
) -> None:
    match = await node.paired()
    begun = node.clock.at
    node.clock.at = begun + RULES.start_delay_ms - 1
    assert await node.sweeper.sweep() == 1
    assert await node.stored(match) == match

    node.clock.at += 1
    await asyncio.gather(node.sweeper.sweep(), other_node.sweeper.sweep())
    started = await node.stored(match)
    assert (started.status, started.started_at, started.version) == (Status.IN_PROGRESS, node.clock.at, 2)
    assert len(started.questions) == RULES.question_count
    assert node.told_of(match.id)[1:] + other_node.told_of(match.id) == [MatchStarted(2, None)]


async def test_sweeper_wakes_for_what_happens_sooner_than_it_planned_to_look(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper_module, "LONGEST_SLEEP_MS", 3_600_000)
    looked, started = asyncio.Event(), asyncio.Event()
    next_tick, announce = node.matches.next_tick, node.announce

    async def look(after: int) -> int | None:
        looked.set()
        return await next_tick(after)

    def note(decision: Decision, origin: object) -> None:
        announce(decision, origin)
        if decision.match.status is Status.IN_PROGRESS:
            started.set()

    monkeypatch.setattr(node.matches, "next_tick", look)
    monkeypatch.setattr(node, "announce", note)
    sweeping = asyncio.create_task(node.sweeper.run())
    await looked.wait()
    await node.paired(start_delay_ms=0)
    await started.wait()
    node.sweeper.stop()
    await sweeping


async def test_match_that_runs_out_of_time_is_decided_by_points(node: Node) -> None:
    match = await node.started()
    await node.send(answer(match, ALICE, 0, match.questions[0].correct))
    node.clock.at += 5 * 30_000 + MARGIN_MS
    await node.sweeper.sweep()
    over = await node.stored(match)
    assert [over.outcome(seat) for seat in (0, 1)] == [Outcome.WON, Outcome.LOST]
    assert code(await node.send(answer(match, ALICE, 1, 0))) == "too_late"
    assert code(await node.send(answer(match, ALICE, 0, match.questions[0].correct))) == "duplicate"


async def test_answer_in_the_last_millisecond_is_taken_although_the_sweeper_has_looked(node: Node) -> None:
    match = await node.started()
    assert match.deadline_at is not None
    node.clock.at = match.deadline_at + 1
    await node.sweeper.sweep()
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "too_late"
    assert code(await node.send(answer(match, ALICE, 0, 0), at=match.deadline_at)) == "accepted"


async def test_sweeper_sleeps_until_the_next_match_is_due_and_a_second_at_most(node: Node) -> None:
    await node.waiting()
    due_at = node.clock.at + RULES.waiting_ttl_ms + MARGIN_MS
    for before_ms, sleep_ms in ((5000, 1000), (1001, 1000), (1000, 1000), (999, 999), (250, 250), (1, 1)):
        node.clock.at = due_at - before_ms
        assert await node.sweeper.sweep() == sleep_ms


async def test_sweeper_sleeps_a_second_where_nothing_is_live(node: Node) -> None:
    assert await node.sweeper.sweep() == LONGEST_SLEEP_MS


async def test_two_sweepers_end_each_match_once(node: Node, other_node: Node) -> None:
    matches = [await make() for _ in range(5) for make in (node.waiting, node.ready, other_node.started)]
    node.clock.at += RULES.waiting_ttl_ms + MARGIN_MS
    await asyncio.gather(*(one.sweeper.sweep() for one in (node, other_node, node, other_node)))
    await asyncio.gather(*(one.sweeper.sweep() for one in (node, other_node)))
    for match in matches:
        over = await node.stored(match)
        assert over.ended_at == node.clock.at
        assert over.version == match.version + 1
        told = node.told_of(match.id) + other_node.told_of(match.id)
        assert [event.version for event in told if isinstance(event, MatchEnded | MatchExpired)] == [over.version]


async def test_sweeper_ends_a_match_whose_start_its_own_node_never_saw(node: Node, other_node: Node) -> None:
    match = await other_node.ready(time_limit_s=5)
    await node.play(node.game.start, ALICE, match_id=match.id)
    node.clock.at += 5 * 5000 + MARGIN_MS
    await other_node.sweeper.sweep()
    assert (await node.stored(match)).status is Status.COMPLETED


async def test_more_matches_than_one_sweep_takes_are_ended_without_a_rest(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper_module, "BATCH", 2)
    matches = []
    for _ in range(3):
        matches.append(await node.waiting())
        node.clock.at += 1
    node.clock.at += RULES.waiting_ttl_ms + MARGIN_MS
    assert await node.sweeper.sweep() == 0
    assert [(await node.stored(match)).status for match in matches] == ["expired", "expired", "waiting"]
    assert await node.sweeper.sweep() > 0
    assert (await node.stored(matches[2])).status is Status.EXPIRED


async def test_sweeper_rests_where_the_database_takes_no_writes(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper_module, "BATCH", 1)
    match = await node.waiting()
    node.clock.at += RULES.waiting_ttl_ms + MARGIN_MS
    node.matches.cut_before = True
    assert await node.sweeper.sweep() == LONGEST_SLEEP_MS
    node.matches.cut_before = False
    await node.sweeper.sweep()
    assert (await node.stored(match)).status is Status.EXPIRED


@pytest.mark.parametrize("fault", [StorageUnavailable("cut"), RuntimeError("a fault of ours")])
async def test_sweeper_goes_on_after_a_fault(node: Node, fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper_module, "LONGEST_SLEEP_MS", 1)
    match = await node.waiting()
    node.clock.at += RULES.waiting_ttl_ms + MARGIN_MS
    faults = [fault, fault]
    find_due = node.matches.find_due

    async def fail_at_first(at: int, limit: int) -> list[DueMatch]:
        if faults:
            raise faults.pop()
        return await find_due(at, limit)

    ended = asyncio.Event()
    monkeypatch.setattr(node, "announce", lambda decision, origin: ended.set())
    monkeypatch.setattr(node.matches, "find_due", fail_at_first)
    sweeping = asyncio.create_task(node.sweeper.run())
    await asyncio.wait({sweeping, asyncio.create_task(ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert not sweeping.done()
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
    assert (await node.stored(match)).status is Status.EXPIRED


async def test_request_id_is_forgotten_after_a_day_and_not_before(node: Node) -> None:
    first = await node.waiting(request_id="mine")
    node.clock.at += REQUEST_IDS_HOLD_MS
    await node.sweeper.sweep()
    again = await node.play(node.game.create, ALICE, topic="General", request_id="mine")
    assert (code(again), again.match.id) == ("duplicate", first.id)

    node.clock.at += FORGET_EVERY_MS
    await node.sweeper.sweep()
    assert (await node.stored(first)).request_id == "mine"
    node.clock.at += 1
    await node.sweeper.sweep()
    assert (await node.stored(first)).request_id is None
    assert (await node.waiting(request_id="mine")).id != first.id
