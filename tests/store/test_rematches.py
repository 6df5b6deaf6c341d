"""Requests for a rematch, on the real database."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.rematch import Standing, follow
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.rematches import Noted, RematchRows
from pairquiz_server.store.retention import RetentionRows
from pairquiz_server.store.rows import Change
from tests.store.duel import ANNA, BEN, NOW, Board, save_all
from tests.store.numbered import Matches

NODE = UUID(int=1)
FRESH_MS, SEEN_MS = 10_000, 5_000


@pytest.fixture
async def rows(database: Database) -> RematchRows:
    await Nodes(database).enter(NODE, NOW)
    return RematchRows(database)


@pytest.fixture
async def presence(database: Database) -> PresenceRows:
    return PresenceRows(database)


@pytest.fixture
async def over(matches: Matches, board: Board) -> Match:
    return await save_all(matches, board.completed_match())


async def ask(rows: RematchRows, match: Match, seat: int, at: int = NOW) -> Noted:
    other = match.seats[1 - seat].player.id
    times = {"stands_after": at - FRESH_MS, "needs_presence_before": at - SEEN_MS}
    return await rows.ask(match.id, seat, at, other, **times)


def following(match: Match, board: Board) -> Change:
    command: PairPlayers = follow(match, str(uuid4()), board.topic, start_delay_ms=3_000, ready_ttl_ms=60_000)
    decision = decide(None, command, NOW + 100)
    return Change(0, decision.match, decision.events)


async def test_two_requests_are_one_row(rows: RematchRows, over: Match) -> None:
    assert await rows.look(over.id) == Standing()
    assert await ask(rows, over, 1, NOW + 1) == Noted((None, NOW + 1), None)
    assert await rows.look(over.id) == Standing((None, NOW + 1))
    assert await ask(rows, over, 0, NOW + 2) == Noted((NOW + 2, NOW + 1), None)
    assert await rows.look(over.id) == Standing((NOW + 2, NOW + 1))


async def test_blocks_of_each_are_seen(rows: RematchRows, database: Database, over: Match) -> None:
    await Blocks(database).block(over.seats[1].player.id, over.seats[0].player.id, NOW)
    assert (await rows.look(over.id)).blocks == (False, True)
    await Blocks(database).block(over.seats[0].player.id, over.seats[1].player.id, NOW)
    assert (await rows.look(over.id)).blocks == (True, True)


async def test_of_two_requests_at_the_same_instant_the_second_sees_both(
    rows: RematchRows, other_database: Database, matches: Matches, board: Board
) -> None:
    elsewhere = RematchRows(other_database)
    for _ in range(20):
        match = await save_all(matches, board.completed_match())
        both = await asyncio.gather(ask(rows, match, 0), ask(elsewhere, match, 1))
        assert sorted(None in noted.asked for noted in both) == [False, True]


async def test_a_repeat_stands_as_it_is_and_much_later_is_a_reminder(rows: RematchRows, over: Match) -> None:
    await ask(rows, over, 0)
    assert await ask(rows, over, 0, NOW + FRESH_MS - 1) == Noted((NOW, None), NOW)
    assert await ask(rows, over, 0, NOW + FRESH_MS) == Noted((NOW + FRESH_MS, None), NOW)


async def test_a_request_whose_player_is_gone_counts_no_longer(
    rows: RematchRows, presence: PresenceRows, over: Match
) -> None:
    await ask(rows, over, 0)
    await presence.note(NODE, {BEN.id: NOW}, [])
    assert await ask(rows, over, 1, NOW + SEEN_MS + 1) == Noted((None, NOW + SEEN_MS + 1), None)
    assert await ask(rows, over, 0, NOW + SEEN_MS + 2) == Noted((NOW + SEEN_MS + 2, NOW + SEEN_MS + 1), None)


async def test_a_request_counts_while_its_player_is_there_or_was_just_there(
    rows: RematchRows, presence: PresenceRows, over: Match
) -> None:
    await ask(rows, over, 0)
    assert None not in (await ask(rows, over, 1, NOW + SEEN_MS)).asked
    await presence.note(NODE, {ANNA.id: NOW}, [])
    assert None not in (await ask(rows, over, 1, NOW + 60_000)).asked


async def test_a_match_has_one_rematch_and_the_next_one_may_have_another(
    rows: RematchRows, matches: Matches, over: Match, board: Board
) -> None:
    first, second = following(over, board), following(over, board)
    assert await matches.save([first, second]) in ({first.match.id}, {second.match.id})
    standing = await rows.look(over.id)
    assert standing.next_id in (first.match.id, second.match.id)
    made = first.match if standing.next_id == first.match.id else second.match
    assert await matches.load([made.id]) == {made.id: made}
    third = following(over, board)
    assert await matches.save([third]) == {third.match.id}
    after = following(replace(made, wins=(4, 2)), board)
    assert not await matches.save([after])
    assert (await matches.load([after.match.id]))[after.match.id].wins == (4, 2)


async def test_what_both_want_and_nobody_made_is_found(
    rows: RematchRows, matches: Matches, board: Board, over: Match
) -> None:
    one_sided, made, late = [await save_all(matches, board.completed_match()) for _ in range(3)]
    await ask(rows, one_sided, 0)
    for match, at in ((over, NOW), (made, NOW), (late, NOW + 9)):
        await ask(rows, match, 0, NOW - 1)
        await ask(rows, match, 1, at)
    assert set(await rows.find_agreed(NOW, NOW)) == {over.id, made.id}
    await matches.save([following(made, board)])
    assert await rows.find_agreed(NOW - 1, NOW) == [over.id]
    assert await rows.find_agreed(NOW, NOW + 9) == [over.id, late.id]
    assert await rows.find_agreed(NOW + 1, NOW + 8) == []


async def test_old_requests_are_forgotten(rows: RematchRows, matches: Matches, board: Board, over: Match) -> None:
    other = await save_all(matches, board.completed_match())
    await ask(rows, over, 0, NOW)
    await ask(rows, other, 0, NOW)
    await ask(rows, other, 1, NOW + 5)
    assert await rows.forget(NOW + 5) == 1
    assert await rows.look(over.id) == Standing()
    assert await rows.look(other.id) == Standing((NOW, NOW + 5))


async def test_a_forgotten_match_takes_its_requests_along(rows: RematchRows, database: Database, over: Match) -> None:
    await ask(rows, over, 0)
    assert over.ended_at is not None
    assert await RetentionRows(database).forget_matches(over.ended_at + 1, over.status) == 1
    left: list[Any] = await database.fetch("SELECT FROM pairquiz.rematches")
    assert left == []
