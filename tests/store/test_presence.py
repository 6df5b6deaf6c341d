"""Who is connected where, and which seats are marked wrongly, on the real database."""

import asyncio
from uuid import UUID

import pytest

from pairquiz_server.rules.absence import Absence, Cause
from pairquiz_server.rules.match import Match
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows, Returned, SeatTaken
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, back, completed, gone, save_all
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches

HERE, THERE = UUID(int=1), UUID(int=2)


@pytest.fixture
async def presence(database: Database) -> PresenceRows:
    for node in (HERE, THERE):
        await Nodes(database).enter(node, NOW)
    return PresenceRows(database)


def seats(*taken: tuple[str, str, bool]) -> set[SeatTaken]:
    return {SeatTaken(*one) for one in taken}


class TestNotes:
    async def test_player_comes_and_goes(self, presence: PresenceRows) -> None:
        assert await presence.find_absent([ANNA.id, BEN.id]) == [ANNA.id, BEN.id]
        assert await presence.note(HERE, {ANNA.id: NOW}, []) == []
        assert await presence.find_absent([ANNA.id, BEN.id]) == [BEN.id]
        assert await presence.note(HERE, {}, [ANNA.id]) == [ANNA.id]
        assert await presence.find_absent([ANNA.id]) == [ANNA.id]

    async def test_player_who_is_connected_elsewhere_too_has_not_gone(self, presence: PresenceRows) -> None:
        await presence.note(HERE, {ANNA.id: NOW, BEN.id: NOW}, [])
        await presence.note(THERE, {ANNA.id: NOW}, [])
        assert await presence.note(HERE, {}, [ANNA.id, BEN.id]) == [BEN.id]
        assert await presence.note(THERE, {}, [ANNA.id]) == [ANNA.id]

    async def test_one_note_says_both(self, presence: PresenceRows) -> None:
        await presence.note(HERE, {ANNA.id: NOW}, [])
        assert await presence.note(HERE, {BEN.id: NOW}, [ANNA.id]) == [ANNA.id]
        assert await presence.find_absent([ANNA.id, BEN.id]) == [ANNA.id]

    async def test_note_is_repeated(self, presence: PresenceRows) -> None:
        for _ in range(2):
            assert await presence.note(HERE, {ANNA.id: NOW}, []) == []
        for _ in range(2):
            assert await presence.note(HERE, {}, [ANNA.id]) == [ANNA.id]

    async def test_node_that_was_buried_writes_nothing_until_it_has_entered_again(
        self, presence: PresenceRows, database: Database
    ) -> None:
        buried = UUID(int=3)
        assert await presence.note(buried, {ANNA.id: NOW}, [BEN.id]) == [BEN.id]
        assert await presence.find_absent([ANNA.id]) == [ANNA.id]
        await Nodes(database).enter(buried, NOW)
        await presence.note(buried, {ANNA.id: NOW}, [])
        assert await presence.find_absent([ANNA.id]) == []

    async def test_node_that_is_being_buried_while_it_writes_waits_and_writes_nothing(
        self, presence: PresenceRows, other_database: Database
    ) -> None:
        async with other_database.connection() as connection, connection.transaction():
            await connection.execute("DELETE FROM pairquiz.nodes WHERE id = $1", HERE)
            writing = asyncio.create_task(presence.note(HERE, {ANNA.id: NOW}, []))
            await until_somebody_waits(other_database)
        await writing
        assert await presence.find_absent([ANNA.id]) == [ANNA.id]

    async def test_player_goes_from_two_nodes_at_the_same_moment_and_one_of_them_sees_it(
        self, presence: PresenceRows, other_database: Database
    ) -> None:
        other = PresenceRows(other_database)
        for _ in range(50):
            await presence.note(HERE, {ANNA.id: NOW}, [])
            await presence.note(THERE, {ANNA.id: NOW}, [])
            told = await asyncio.gather(presence.note(HERE, {}, [ANNA.id]), other.note(THERE, {}, [ANNA.id]))
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


class TestReturned:
    """Anna is away from `SINCE` on, and may come until `BY`."""

    SINCE = NOW + 5_000
    BY = SINCE + 10_000

    @pytest.fixture
    async def match(self, matches: Matches, board: Board) -> Match:
        running = await save_all(matches, board.running())
        match = await save_all(matches, [gone(running, 0, Cause.CLOSED, at=self.SINCE)])
        assert match.seats[0].absence == Absence(self.SINCE, Cause.CLOSED, self.BY)
        return match

    @pytest.mark.parametrize("came_at", [BY - 9_999, BY])
    async def test_who_came_in_time_is_found_with_the_time(
        self, presence: PresenceRows, match: Match, came_at: int
    ) -> None:
        assert await presence.find_returned([match.id]) == []
        await presence.note(HERE, {ANNA.id: came_at, BEN.id: NOW}, [])
        assert await presence.find_returned([match.id]) == [Returned(match.id, ANNA.id, came_at)]
        assert await presence.find_returned([]) == []

    async def test_who_came_too_late_or_went_again_is_not(self, presence: PresenceRows, match: Match) -> None:
        await presence.note(HERE, {ANNA.id: self.BY + 1}, [])
        assert await presence.find_returned([match.id]) == []
        await presence.note(THERE, {ANNA.id: self.BY}, [])
        assert await presence.find_returned([match.id]) == [Returned(match.id, ANNA.id, self.BY)]
        await presence.note(THERE, {}, [ANNA.id])
        assert await presence.find_returned([match.id]) == []

    async def test_who_came_to_two_nodes_came_when_the_first_saw_it(self, presence: PresenceRows, match: Match) -> None:
        await presence.note(HERE, {ANNA.id: self.BY - 1}, [])
        await presence.note(THERE, {ANNA.id: self.BY - 2}, [])
        assert await presence.find_returned([match.id]) == [Returned(match.id, ANNA.id, self.BY - 2)]

    async def test_in_rounds_each_of_both_may_come_until_both_graces_are_over(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        match = await save_all(matches, board.forsaken_match_in_rounds())
        until = [seat.absence.reconnect_by for seat in match.seats if seat.absence and seat.absence.reconnect_by]
        assert until[0] < until[1] == match.forsaken_at()
        await presence.note(HERE, {ANNA.id: until[1] + 1}, [])
        assert await presence.find_returned([match.id]) == []
        await presence.note(THERE, {ANNA.id: until[1]}, [])
        assert await presence.find_returned([match.id]) == [Returned(match.id, ANNA.id, until[1])]

    async def test_repeated_note_keeps_the_first_time(self, presence: PresenceRows, match: Match) -> None:
        for came_at in (self.BY, self.BY + 1):
            await presence.note(HERE, {ANNA.id: came_at}, [])
        assert await presence.find_returned([match.id]) == [Returned(match.id, ANNA.id, self.BY)]

    async def test_who_is_marked_as_back_or_has_no_clock_is_not(
        self, presence: PresenceRows, matches: Matches, board: Board, match: Match
    ) -> None:
        alone = await save_all(matches, board.ready_match_alone())
        await presence.note(HERE, {ANNA.id: self.SINCE, BEN.id: self.SINCE}, [])
        assert [one.match_id for one in await presence.find_returned([alone.id, match.id])] == [match.id]
        returned = await save_all(matches, [back(match, 0, at=self.SINCE + 1)])
        assert await presence.find_returned([alone.id, returned.id]) == []


class TestUnmarked:
    """`HERE` is silent for six seconds, `THERE` beats."""

    @pytest.fixture(autouse=True)
    async def silence(self, presence: PresenceRows, database: Database) -> None:
        for at in range(NOW + 1_000, NOW + 6_001, 1_000):
            await Nodes(database).beat(THERE, at, 2_000, after_silence=False)

    @pytest.mark.parametrize("seat", [0, 1])
    async def test_who_counts_as_away_and_is_at_a_silent_node(
        self, presence: PresenceRows, matches: Matches, board: Board, seat: int
    ) -> None:
        running = await save_all(matches, board.running())
        match = await save_all(matches, [gone(running, seat, Cause.CLOSED, at=NOW + 5_000)])
        for player in (ANNA, BEN):
            await presence.note(THERE, {player.id: NOW + 6_000}, [])
        await presence.note(HERE, {(BEN, ANNA)[seat].id: NOW}, [])
        assert await presence.find_unmarked(5_000) == []
        await presence.note(HERE, {(ANNA, BEN)[seat].id: NOW + 6_000}, [])
        assert await presence.find_unmarked(5_000) == [match.id]
        assert await presence.find_unmarked(6_000) == [], "not silent for so long"

    async def test_who_has_no_clock_or_is_over_is_not(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        for life in (Board.ready_match_alone, Board.forsaken_match, Board.running):
            await save_all(matches, life(board))
        await presence.note(HERE, {ANNA.id: NOW, BEN.id: NOW}, [])
        assert await presence.find_unmarked(5_000) == []


class TestMistakes:
    async def test_who_is_there_and_counts_as_away_and_the_other_way_round(
        self, presence: PresenceRows, matches: Matches, board: Board
    ) -> None:
        both_there = await save_all(matches, board.running())
        anna_away = await save_all(matches, board.returned_match())
        assert set(await presence.find_mistakes()) == seats(
            (both_there.id, ANNA.id, False), (both_there.id, BEN.id, False), (anna_away.id, BEN.id, False)
        )
        await presence.note(HERE, {ANNA.id: NOW}, [])
        assert set(await presence.find_mistakes()) == seats(
            (both_there.id, BEN.id, False), (anna_away.id, ANNA.id, True), (anna_away.id, BEN.id, False)
        )
        await presence.note(THERE, {BEN.id: NOW}, [])
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
        await presence.note(HERE, {ANNA.id: NOW, BEN.id: NOW}, [])
        assert await presence.find_mistakes() == []
