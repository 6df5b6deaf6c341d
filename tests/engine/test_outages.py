"""The committer on a PostgreSQL that dies under it: what was acknowledged is there, once, and it goes on by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pairquiz_server import config
from pairquiz_server.database import prepared_database
from pairquiz_server.engine.waiting import PATIENCE_S
from pairquiz_server.rules.decide import Decision
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.engine.stage import ALICE, BOB, HandClock, Node, answer, code, opened_database, running_node
from tests.pace import patient
from tests.store.outage import NOTICED_S, RECOVERED_S, Outages, beating, seconds_until

SLACK_S = 0.5
"""What a busy machine may add to a time that is promised."""


@pytest.fixture(scope="module")
def outages(open_folder: Path) -> Iterator[Outages]:
    """A server of this file's own, with questions."""

    async def prepare(dsn: str) -> None:
        async with prepared_database(config.load(environ={}), dsn):
            pass

    with EmbeddedPostgres.join(open_folder / "engine-outages") as postgres:
        asyncio.run(prepare(postgres.dsn))
        made = Outages(postgres)
        try:
            yield made
        finally:
            made.thaw()


@pytest.fixture
async def database(outages: Outages) -> AsyncIterator[Database]:
    async with opened_database(outages.dsn) as opened, beating(opened):
        yield opened


async def accepts(node: Node) -> bool:
    try:
        return code(await node.send(await node.creation())) == "accepted"
    except StorageUnavailable:  # where it looks for a topic
        return False


async def test_players_storm_a_database_that_dies_and_what_was_acknowledged_is_there_once(
    node: Node, outages: Outages
) -> None:
    matches = [await node.started(question_count=40) for _ in range(4)]
    acknowledged: dict[str, set[tuple[str, int]]] = {match.id: set() for match in matches}
    longest = 0.0
    over = False

    async def storm(player: str, number: int) -> None:
        nonlocal longest
        match, who = matches[number], ALICE if player == ALICE.id else BOB
        for place in range(40):
            began = time.monotonic()
            command = answer(match, who, place, match.questions[place].correct)
            while (outcome := code(await node.send(command))) == "storage_unavailable":
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(0.05)  # as a client does before it tries again
                began = time.monotonic()
            assert outcome in ("accepted", "duplicate")
            longest = max(longest, time.monotonic() - began)
            acknowledged[match.id].add((player, command.question_id))
            await asyncio.sleep(0.02)

    async def kill() -> None:
        while not over:
            await outages.stop()
            await outages.start()
            await asyncio.sleep(0.3)

    killing = asyncio.create_task(kill())
    await asyncio.gather(*(storm(player.id, number) for player in (ALICE, BOB) for number in range(4)))
    over = True
    await killing
    await seconds_until(lambda: accepts(node), RECOVERED_S)
    assert longest < patient(PATIENCE_S + SLACK_S)
    for match in matches:
        stored = await node.stored(match)
        answers = {(seat.player.id, one.question_id) for seat in stored.seats for one in seat.answers}
        assert answers == acknowledged[match.id]
        assert len(answers) == 80
        for seat in stored.seats:
            assert seat.score == sum(one.points for one in seat.answers)
        assert [event.version for event in node.told_of(match.id)][-1] == stored.version
        versions = sorted({event.version for event in node.told_of(match.id)})
        assert versions == list(range(1, stored.version + 1)), "what is committed is announced"


async def test_players_of_a_frozen_database_are_refused_in_time_and_play_on_when_it_goes_on(
    node: Node, outages: Outages
) -> None:
    match = await node.started()
    outages.freeze()
    began = time.monotonic()
    waiting = [node.send(answer(match, player, place, 0)) for place in range(2) for player in (ALICE, BOB)]
    assert {code(outcome) for outcome in await asyncio.gather(*waiting)} == {"storage_unavailable"}
    assert time.monotonic() - began < patient(PATIENCE_S + SLACK_S)
    await seconds_until(lambda: node.send(answer(match, ALICE, 3, 0)).done(), NOTICED_S)
    outages.thaw()
    await seconds_until(lambda: accepts(node), RECOVERED_S)
    stored = await node.stored(match)
    assert [event.version for event in node.told_of(match.id)] == list(range(1, stored.version + 1))


async def test_node_on_a_frozen_database_stops_in_time(database: Database, clock: HandClock, outages: Outages) -> None:
    async with running_node(database, clock) as node:
        match = await node.started()
        outages.freeze()
        waiting = [node.send(answer(match, player, 0, 0)) for player in (ALICE, BOB)]
        await asyncio.sleep(0)
        began = time.monotonic()
        node.committer.stop()
        outcomes = await asyncio.gather(*waiting)
        await node.working
        assert time.monotonic() - began < patient(PATIENCE_S + SLACK_S)
        outages.thaw()
    assert not any(isinstance(outcome, Decision) for outcome in outcomes)
