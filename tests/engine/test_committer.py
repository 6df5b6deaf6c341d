"""The committer of one node: how it batches, when it tells what, and whom a fault hurts."""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from pairquiz_server.engine import committer as committer_module
from pairquiz_server.engine import waiting
from pairquiz_server.engine.batch import Batch
from pairquiz_server.engine.submission import Outcome, Told
from pairquiz_server.engine.telling import Settled
from pairquiz_server.rules.commands import JoinMatch, LeaveMatch, StartMatch
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import AnswerAccepted
from pairquiz_server.rules.match import Status
from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.engine.stage import ALICE, BOB, CAROL, HandClock, Node, answer, code, running_node


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


async def test_idle_committer_writes_each_command_at_once(node: Node) -> None:
    for _ in range(3):
        assert code(await node.send(await node.creation())) == "accepted"
    assert node.matches.batches == [1, 1, 1]


async def test_who_is_settled_is_let_go_when_the_next_batch_begins(node: Node) -> None:
    for _ in range(3):
        assert code(await node.send(await node.creation())) == "accepted"
    assert len(node.committer._waiting._waiting) == 1


async def test_commands_that_arrive_during_a_write_are_the_next_batch(node: Node) -> None:
    creations = [await node.creation() for _ in range(7)]
    async with node.busy():
        answers = [node.send(creation) for creation in creations]
    assert [code(outcome) for outcome in await asyncio.gather(*answers)] == ["accepted"] * 7
    assert node.matches.batches == [1, 7]


async def test_changes_of_one_match_in_a_batch_are_one_move(node: Node) -> None:
    match = await node.started()
    async with node.busy():
        answers = [node.send(answer(match, player, place, 0)) for place in range(5) for player in (ALICE, BOB)]
    assert {code(outcome) for outcome in await asyncio.gather(*answers)} == {"accepted"}
    assert node.matches.batches[-1] == 1
    stored = await node.stored(match)
    assert stored.status is Status.COMPLETED
    assert stored.version == match.version + 11
    assert node.told_of(match.id)[-1].version == stored.version


async def test_committer_under_load_leaves_the_pace_between_two_batches(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real_time, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real_time() + ahead)
    monkeypatch.setattr(waiting, "PATIENCE_S", 100)
    async with running_node(database, clock, pace_s=12) as node:
        assert code(await node.send(await node.creation())) == "accepted"
        later = [node.send(await node.creation()) for _ in range(2)]
        assert node.matches.batches == [1]
        ahead = 6
        await node.questions.list_topics()
        assert node.matches.batches == [1]
        ahead = 12
        assert [code(outcome) for outcome in await asyncio.gather(*later)] == ["accepted"] * 2
        assert node.matches.batches == [1, 2]


async def test_large_crowd_is_carried_out_in_bounded_batches(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "MAX_BATCH", 3)
    creations = [await node.creation() for _ in range(8)]
    async with node.busy():
        answers = [node.send(creation) for creation in creations]
    await asyncio.gather(*answers)
    assert node.matches.batches == [1, 3, 3, 2]
    assert [told.match.id for told in node.told[1:]] == [creation.match_id for creation in creations]


async def test_command_that_finds_the_queue_full_takes_the_place_of_the_oldest_which_is_refused(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "MAX_QUEUED", 2)
    creations = [await node.creation() for _ in range(3)]
    async with node.busy():
        refused, *taken = [node.send(creation) for creation in creations]
        assert refused.done()
        assert code(refused.result()) == "storage_unavailable"
    assert [code(outcome) for outcome in await asyncio.gather(*taken)] == ["accepted"] * 2
    assert creations[0].match_id not in {told.match.id for told in node.told}


async def test_match_that_was_moved_by_another_way_is_read_anew(node: Node) -> None:
    match, other = await node.started(), await node.started()
    node.committer.forget([match.id])
    assert node.committer.cached(match.id) is None
    assert node.committer.cached(other.id)
    node.matches.loaded.clear()
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "accepted"
    assert node.matches.loaded == [match.id]


async def test_match_that_is_forgotten_during_its_write_is_read_anew(node: Node) -> None:
    match = await node.started()
    node.matches.flowing.clear()
    node.matches.began.clear()
    written = node.send(answer(match, ALICE, 0, 0))
    await node.matches.began.wait()
    node.committer.forget([match.id])
    node.matches.flowing.set()
    assert code(await written) == "accepted"
    assert node.committer.cached(match.id) is None


async def test_batch_waits_until_the_node_is_ready(node: Node) -> None:
    match = await node.started()
    node.committer.forget([match.id])
    node.matches.loaded.clear()
    node.fit.clear()
    waiting = node.send(answer(match, ALICE, 0, 0))
    await node.questions.list_topics()
    assert (node.matches.loaded, waiting.done()) == ([], False)
    node.fit.set()
    assert code(await waiting) == "accepted"


async def test_node_that_never_gets_ready_refuses_in_time(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    match = await node.started()
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.1)
    node.unfit = StorageUnavailable("the clock was not beaten")
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "storage_unavailable"
    node.unfit = None
    assert code(await node.send(answer(match, ALICE, 0, 1))) == "accepted"


async def test_nothing_is_told_before_the_write_returns_and_the_sender_hears_first(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = await node.started()
    heard: list[str] = []
    monkeypatch.setattr(node, "announce", lambda decision, origin: heard.append("announced"))
    node.matches.flowing.clear()
    node.matches.began.clear()
    answers = [node.send(answer(match, player, 0, 0), heard=heard) for player in (ALICE, ALICE, CAROL, BOB)]
    await node.matches.began.wait()
    await node.questions.list_topics()
    assert heard == []

    node.matches.flowing.set()
    await asyncio.gather(*answers)
    assert heard == ["accepted", "announced", "duplicate", "not_a_player", "accepted", "announced"]


async def test_refusals_do_not_hurt_the_others_of_their_batch(node: Node) -> None:
    match, other = await node.started(), await node.started()
    async with node.busy():
        answers = [
            node.send(answer(match, ALICE, 0, 0)),
            node.send(answer(match, CAROL, 0, 0)),
            node.send(answer(match, ALICE, 0, 1)),
            node.send(answer(match, ALICE, 1, 9)),
            node.send(answer(other, CAROL, 1, 1)),
            node.send(answer(other, BOB, 1, 1)),
            node.send(StartMatch(match_id=match.id, player_id=BOB.id, draw=())),
        ]
    assert [code(outcome) for outcome in await asyncio.gather(*answers)] == [
        "accepted", "not_a_player", "already_answered", "invalid_payload", "not_a_player", "accepted", "duplicate",
    ]  # fmt: skip
    assert len((await node.stored(match)).seats[0].answers) == 1
    assert len((await node.stored(other)).seats[1].answers) == 1


async def test_player_repeats_an_answer_and_it_counts_once(node: Node) -> None:
    match = await node.started()
    right = match.questions[0].correct
    first = await node.send(answer(match, ALICE, 0, right))
    repeats = [await node.send(answer(match, ALICE, 0, right)) for _ in range(3)]
    assert isinstance(first, Decision)
    for repeat in repeats:
        assert isinstance(repeat, Decision)
        assert (repeat.duplicate, repeat.match) == (True, first.match)
    assert (await node.stored(match)).seats[0].score == first.match.seats[0].score > 0
    assert len([event for event in node.told_of(match.id) if isinstance(event, AnswerAccepted)]) == 1


@pytest.mark.parametrize("poison", ["\0", "\ud800"], ids=["refused by PostgreSQL", "refused by the encoder"])
@pytest.mark.parametrize("place", [0, 2, 4])
async def test_poisoned_value_hurts_its_own_command_alone(node: Node, poison: str, place: int) -> None:
    match = await node.started()
    poisoned = await node.creation(request_id=poison)
    commands = [
        answer(match, ALICE, 0, 0),
        await node.creation(),
        answer(match, CAROL, 0, 0),
        answer(match, BOB, 0, 0),
    ]
    commands.insert(place, poisoned)
    expected = ["accepted", "accepted", "not_a_player", "accepted"]
    expected.insert(place, "internal")
    async with node.busy():
        answers = [node.send(command) for command in commands]
    assert [code(outcome) for outcome in await asyncio.gather(*answers)] == expected
    stored = await node.stored(match)
    assert [len(seat.answers) for seat in stored.seats] == [1, 1]
    assert [event.version for event in node.told_of(match.id)] == list(range(1, stored.version + 1))


async def test_what_was_refused_holds_nothing_of_its_batch(node: Node) -> None:
    match = await node.started()
    batch = Batch({match.id: match}, frozenset({match.id}))
    batch.decide(Told(command=answer(match, CAROL, 0, 0), arrived_at=node.clock.now(), tell=lambda outcome: None))
    assert code(batch.decided[0][1]) == "not_a_player"
    held = weakref.ref(batch)
    gc.disable()
    try:
        del batch
        assert held() is None
    finally:
        gc.enable()


async def test_a_batch_is_told_while_the_next_one_is_written_and_before_that_is_told(node: Node) -> None:
    match = await node.started()
    told: list[tuple[str, int]] = []

    def hears(name: str) -> Told:
        command = answer(match, ALICE if name == "first" else BOB, 0, 0)
        note = lambda outcome: told.append((name, len(node.matches.batches)))  # noqa: E731
        return Told(command=command, arrived_at=node.clock.now(), tell=note)

    node.matches.flowing.clear()
    node.matches.began.clear()
    node.committer.submit(hears("first"))
    await node.matches.began.wait()
    begun = len(node.matches.batches)
    node.committer.submit(hears("second"))
    node.matches.flowing.set()
    assert code(await node.send(answer(match, BOB, 0, 0))) == "duplicate"
    assert told == [("first", begun + 1), ("second", begun + 1)]


async def test_whoever_asks_what_is_known_finds_it_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    match = await node.started()
    keep = node.committer._telling.keep
    found: list[tuple[int, int]] = []
    asking: list[asyncio.Task[None]] = []

    async def ask() -> None:
        before = len(node.told_of(match.id))
        await node.committer.known()
        found.append((before, len(node.told_of(match.id))))

    def kept(settled: Settled) -> None:
        asking.append(asyncio.create_task(ask()))  # its turn comes before that of what is kept
        keep(settled)

    monkeypatch.setattr(node.committer._telling, "keep", kept)
    told = len(node.told_of(match.id))
    node.matches.flowing.clear()
    node.matches.began.clear()
    first = node.send(answer(match, ALICE, 0, 0))
    await node.matches.began.wait()
    second = node.send(answer(match, BOB, 0, 0))
    node.matches.flowing.set()
    assert [code(outcome) for outcome in await asyncio.gather(first, second)] == ["accepted"] * 2
    await asyncio.gather(*asking)
    ((before, after),) = found
    assert before == told
    assert after > told  # and with it what was begun meanwhile


async def test_whoever_watches_hears_of_all_that_is_more_than_an_answer(node: Node) -> None:
    match = await node.started()
    for place in range(5):
        for player in (ALICE, BOB):
            assert code(await node.send(answer(match, player, place, 0))) == "accepted"
    plain = [one for one in node.told if [type(event) for event in one.events] == [AnswerAccepted]]
    assert len(plain) == 8
    assert node.watched == [one for one in node.told if one not in plain]


async def test_fault_of_one_listener_hurts_nobody_else(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    match = await node.started()
    announce = node.announce

    def broken(outcome: Outcome) -> None:
        raise RuntimeError("the line of the one who asked is broken")

    def deaf_to_creations(decision: Decision, origin: object) -> None:
        if decision.match.version == 1:
            raise RuntimeError("the announcement is broken")
        announce(decision, origin)

    monkeypatch.setattr(node, "announce", deaf_to_creations)
    creation = await node.creation()
    async with node.busy():
        for player in (ALICE, CAROL):
            command = answer(match, player, 0, 0)
            node.committer.submit(Told(command=command, arrived_at=node.clock.now(), tell=broken))
        created = node.send(creation)
        answered = node.send(answer(match, BOB, 0, 0))
    assert [code(outcome) for outcome in (await created, await answered)] == ["accepted", "accepted"]
    answers = [event for event in node.told_of(match.id) if isinstance(event, AnswerAccepted)]
    assert [event.seat for event in answers] == [0, 1]  # the opponent hears of an answer whose sender is gone
    assert code(await node.send(answer(match, ALICE, 1, 0))) == "accepted"


async def test_command_stands_when_its_asker_is_cancelled(node: Node, logs: list[dict[str, Any]]) -> None:
    match = await node.started()
    async with node.busy():
        asking = asyncio.create_task(node.committer.ask(answer(match, ALICE, 0, 0), node.clock.now()))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "duplicate"
    assert len([event for event in node.told_of(match.id) if isinstance(event, AnswerAccepted)]) == 1
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_asker_hears_a_refusal_as_an_exception(node: Node) -> None:
    match = await node.ready()
    with pytest.raises(Refused) as refusal:
        await node.committer.ask(LeaveMatch(match_id=match.id, player_id=CAROL.id), node.clock.now())
    assert refusal.value.code == "not_a_player"


async def test_cache_holds_the_newest_live_matches_and_no_more(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "MAX_CACHED_MATCHES", 3)
    creations = [await node.creation() for _ in range(5)]
    for creation in creations:
        await node.send(creation)
    cached = [creation.match_id for creation in creations if node.committer.cached(creation.match_id)]
    assert cached == [creation.match_id for creation in creations[2:]]

    join = JoinMatch(match_id=creations[2].match_id, player=BOB, ready_ttl_ms=1000)
    assert code(await node.send(join)) == "accepted"
    await node.send(await node.creation())
    assert node.committer.cached(creations[2].match_id)  # used just now
    assert node.committer.cached(creations[3].match_id) is None
    assert code(await node.send(JoinMatch(match_id=creations[0].match_id, player=BOB, ready_ttl_ms=1000))) == "accepted"


async def test_final_match_leaves_the_cache(node: Node) -> None:
    match = await node.started()
    assert node.committer.cached(match.id) == match
    await node.send(LeaveMatch(match_id=match.id, player_id=BOB.id))
    assert node.committer.cached(match.id) is None
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "wrong_state"
    assert node.committer.cached(match.id) is None


async def test_commands_that_wait_show_and_how_long_the_oldest_has(node: Node) -> None:
    def level(name: str) -> float | None:
        return node.committer._metrics.registry.get_sample_value(f"pairquiz_{name}")

    assert (level("queued_commands"), level("queued_commands_age_seconds"), level("cached_matches")) == (0, 0, 0)
    async with node.busy():
        waiting = [node.send(await node.creation()) for _ in range(2)]
        assert level("queued_commands") == 2
        while not level("queued_commands_age_seconds"):  # noqa: ASYNC110  # of the one that is being written
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert (level("queued_commands"), level("queued_commands_age_seconds"), level("cached_matches")) == (0, 0, 3)
