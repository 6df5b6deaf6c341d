"""Who is connected where, and which seats are marked wrongly, on the real database."""

import asyncio
from uuid import UUID

import pytest

from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows, SeatTaken
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, back, completed, gone, save_all

HERE, THERE = UUID(int=1), UUID(int=2)


@pytest.fixture
async def presence(database: Database) -> PresenceRows:
    for node in (HERE, THERE):
        await Nodes(database).enter(node, NOW)
    return PresenceRows(database)


def seats(*taken: tuple[UUID, str, bool]) -> set[SeatTaken]:
    return {SeatTaken(*one) for one in taken}


class TestNotes:
    async def test_player_comes_and_goes(self, presence: PresenceRows) -> None:
        assert await presence.find_absent([ANNA.id, BEN.id]) == [ANNA.id, BEN.id]
        assert await presence.note(HERE, [ANNA.id], []) == []
        assert await presence.find_absent([ANNA.id, BEN.id]) == [BEN.id]
        assert await presence.note(HERE, [], [ANNA.id]) == [ANNA.id]
        assert await presence.find_absent([ANNA.id]) == [ANNA.id]

    async def test_player_who_is_connected_elsewhere_too_has_not_gone(self, presence: PresenceRows) -> None:
        await presence.note(HERE, [ANNA.id, BEN.id], [])
        await presence.note(THERE, [ANNA.id], [])
        assert await presence.note(HERE, [], [ANNA.id, BEN.id]) == [BEN.id]
        assert await presence.note(THERE, [], [ANNA.id]) == [ANNA.id]

    async def test_one_note_says_both(self, presence: PresenceRows) -> None:
        await presence.note(HERE, [ANNA.id], [])
        assert await presence.note(HERE, [BEN.id], [ANNA.id]) == [ANNA.id]
        assert await presence.find_absent([ANNA.id, BEN.id]) == [ANNA.id]

    async def test_note_is_repeated(self, presence: PresenceRows) -> None:
        for _ in range(2):
            assert await presence.note(HERE, [ANNA.id], []) == []
        for _ in range(2):
            assert await presence.note(HERE, [], [ANNA.id]) == [ANNA.id]

    async def test_player_goes_from_two_nodes_at_the_same_moment_and_one_of_them_sees_it(
        self, presence: PresenceRows, other_database: Database
    ) -> None:
        other = PresenceRows(other_database)
        for _ in range(50):
            await presence.note(HERE, [ANNA.id], [])
            await presence.note(THERE, [ANNA.id], [])
            told = await asyncio.gather(presence.note(HERE, [], [ANNA.id]), other.note(THERE, [], [ANNA.id]))
            assert [ANNA.id] in told


class TestSeats:
    async def test_seats_of_players_in_live_matches_are_found(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        waiting, alone = [
            await save_all(matches, life(board)) for life in (Board.waiting_match, Board.ready_match_alone)
        ]
        running = await save_all(matches, board.returned_match())
        for over in (Board.completed_match, Board.forsaken_match, Board.abandoned_match, Board.unjoined_match):
            await save_all(matches, over(board))
        assert set(await presence.find_seats([ANNA.id, BEN.id, CARA.id])) == seats(
            (waiting.id, ANNA.id, False),
            (alone.id, ANNA.id, True),
            (alone.id, BEN.id, True),
            (running.id, ANNA.id, True),
            (running.id, BEN.id, False),
        )
        assert set(await presence.find_seats([BEN.id])) == seats((alone.id, BEN.id, True), (running.id, BEN.id, False))
        assert await presence.find_seats([CARA.id]) == []
        assert await presence.find_seats([]) == []


class TestMistakes:
    async def test_who_is_there_and_counts_as_away_and_the_other_way_round(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        both_there = await save_all(matches, board.running())
        anna_away = await save_all(matches, board.returned_match())
        assert set(await presence.find_mistakes()) == seats(
            (both_there.id, ANNA.id, False), (both_there.id, BEN.id, False), (anna_away.id, BEN.id, False)
        )
        await presence.note(HERE, [ANNA.id], [])
        assert set(await presence.find_mistakes()) == seats(
            (both_there.id, BEN.id, False), (anna_away.id, ANNA.id, True), (anna_away.id, BEN.id, False)
        )
        await presence.note(THERE, [BEN.id], [])
        assert set(await presence.find_mistakes()) == seats((anna_away.id, ANNA.id, True))
        await save_all(matches, [back(anna_away, 0, at=NOW + 6_000)])
        assert await presence.find_mistakes() == []

    async def test_player_who_waits_alone_is_looked_at_and_the_free_seat_is_not(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        created = board.created()
        await save_all(matches, [created])
        assert set(await presence.find_mistakes()) == seats((created.match.id, ANNA.id, False))
        await save_all(matches, [gone(created.match, 0)])
        assert await presence.find_mistakes() == []

    async def test_who_is_done_is_never_one(self, presence: PresenceRows, matches: Matches, board: Board) -> None:
        running = await save_all(matches, board.running())
        match = await save_all(matches, [completed(running, 0)])
        assert set(await presence.find_mistakes()) == seats((match.id, BEN.id, False))

    async def test_match_that_is_over_has_none(self, presence: PresenceRows, matches: Matches, board: Board) -> None:
        for life in (Board.completed_match, Board.forsaken_match, Board.forsaken_match_of_both, Board.unjoined_match):
            await save_all(matches, life(board))
        assert await presence.find_mistakes() == []
        await presence.note(HERE, [ANNA.id, BEN.id], [])
        assert await presence.find_mistakes() == []
