"""The clock that nodes share, and what a beat makes of matches after a silence, on the real database."""

import asyncio
from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.absence import Absence, Cause
from pairquiz_server.rules.commands import Command, CompleteQuiz, MarkAbsent, MarkPresent, SubmitAnswer
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.nodes import Beat, ClockReading, MovedMatch, Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.rows import Change
from tests.store.deadlocks import deadlocks
from tests.store.duel import (
    NOW,
    PATIENCE,
    Board,
    answered,
    gone,
    merged,
    save_all,
)
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches
from tests.store.test_matches import LIVES

OVERLOOKED_MS = 2_000
HOUR = 3_600_000
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
async def nodes(database: Database) -> Nodes:
    """Two nodes serve, and have both beaten just now."""
    nodes = Nodes(database)
    for node in (FIRST, SECOND):
        await nodes.enter(node, NOW)
    return nodes


async def beat(nodes: Nodes, at: int, node: UUID = FIRST) -> Beat:
    """Beat as if the database's clock had been set since the last time: no clock counts but the nodes'."""
    await set_database_clock(nodes, 1_000 * OVERLOOKED_MS)
    return await carry_on(nodes, at, node)


async def carry_on(nodes: Nodes, at: int, node: UUID = FIRST) -> Beat:
    """Beat, and let what has passed by the database's clock count."""
    return replace(await nodes.beat(node, at, OVERLOOKED_MS, after_silence=True), database_at=0)


async def set_database_clock(nodes: Nodes, forward_ms: int) -> None:
    await nodes._database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - $1", forward_ms)


async def load(matches: Matches, ids: Sequence[str]) -> list[Match]:
    found = await matches.load(ids)
    return [found[one] for one in ids]


def moved(match: Match, now: int, gap: int) -> Match:
    """A match as the rules want it after a silence of `gap` that ended at `now`."""
    if match.status not in LIVE:
        return match
    seats = tuple(
        replace(
            seat,
            absence=seat.absence
            and replace(
                seat.absence,
                since=now,
                reconnect_by=seat.absence.reconnect_by and now + seat.absence.reconnect_by - seat.absence.since,
            ),
        )
        for seat in match.seats
    )
    after = replace(match, version=match.version + 1, paused_at=now - gap, resumed_at=now, seats=seats)
    if match.status is not Status.IN_PROGRESS:
        ticks_at = None if match.tick_at is None else match.tick_at + gap
        return replace(after, due_at=match.due_at + gap, tick_at=ticks_at)
    if match.pace is Pace.ROUNDS:
        if match.closes_at is None:
            assert match.tick_at is not None
            after = replace(after, tick_at=match.tick_at + gap)
        else:
            reveals = (*match.reveals[:-1], match.reveals[-1] + gap)
            after = replace(after, closes_at=match.closes_at + gap, reveals=reveals)
        return replace(after, due_at=after.running_due_at())
    assert match.deadline_at is not None
    after = replace(after, deadline_at=match.deadline_at + gap)
    return replace(after, due_at=after.running_due_at())


class TestClock:
    async def test_nobody_has_run_yet(self, database: Database) -> None:
        reading = await Nodes(database).read_clock()
        assert (reading.game_at, reading.beaten_at) == (None, None)
        assert reading.database_at > NOW

    async def test_first_node_opens_the_clock_and_later_ones_leave_it(self, database: Database) -> None:
        nodes = Nodes(database)
        await nodes.enter(FIRST, NOW)
        first = await nodes.read_clock()
        await nodes.enter(SECOND, NOW + HOUR)
        await nodes.enter(FIRST, NOW + HOUR)
        second = await nodes.read_clock()
        assert isinstance(first, ClockReading)
        assert (second.game_at, second.beaten_at) == (first.game_at, first.beaten_at) == (NOW, first.beaten_at)
        assert first.beaten_at is not None
        assert first.beaten_at <= first.database_at <= second.database_at

    async def test_beat_notes_both_clocks(self, nodes: Nodes) -> None:
        before = (await nodes.read_clock()).database_at
        await beat(nodes, NOW + 500)
        reading = await nodes.read_clock()
        assert reading.game_at == NOW + 500
        assert reading.beaten_at is not None
        assert before <= reading.beaten_at <= reading.database_at

    async def test_node_counts_as_silent_from_the_end_of_the_session_by_which_it_beats(
        self, nodes: Nodes, database: Database, other_database: Database
    ) -> None:
        async def silent() -> list[UUID]:
            return [row["id"] for row in await other_database.fetch("SELECT id FROM pairquiz.silent_nodes")]

        assert await silent() == [], "nobody has beaten by a session yet"
        for node in (FIRST, SECOND):
            await beat(Nodes(database if node is FIRST else other_database), NOW + 500, node)
        assert await silent() == []
        assert database._prober is not None
        database._prober.terminate()
        async with asyncio.timeout(20):
            while await silent() != [FIRST]:
                pass
        await beat(nodes, NOW + 1_000)
        assert await silent() == []

    async def test_session_of_a_pooler_says_nothing_of_a_node(
        self, nodes: Nodes, database: Database, database_url: str
    ) -> None:
        await beat(nodes, NOW + 500)
        pooled = Database(DatabaseOptions(dsn=database_url, transaction_pooler=True))
        await pooled.open()
        try:
            await beat(Nodes(pooled), NOW + 600)
        finally:
            await pooled.close()
        assert await database.fetchval("SELECT session_pid FROM pairquiz.nodes WHERE id = $1", FIRST) is None

    async def test_node_whose_clock_is_behind_adopts_the_one_that_is_ahead(self, nodes: Nodes) -> None:
        await beat(nodes, NOW + 1_500)
        behind = await beat(nodes, NOW - HOUR, SECOND)
        assert (behind.now, behind.gap_ms, behind.moved) == (NOW + 1_500, 0, [])
        assert (await nodes.read_clock()).game_at == NOW + 1_500
        assert (await beat(nodes, NOW + 1_600)).now == NOW + 1_600

    @pytest.mark.parametrize("passed_ms", [300, 600])
    async def test_nodes_agree_after_each_beat_though_time_has_passed_since_the_last(
        self, nodes: Nodes, other_database: Database, passed_ms: int
    ) -> None:
        others, at = Nodes(other_database), NOW
        for behind_ms in (1, 250, 500, HOUR):
            for one, node in ((nodes, FIRST), (others, SECOND)):
                await set_database_clock(nodes, passed_ms)
                before = await nodes.read_clock()
                told = await carry_on(one, at - behind_ms, node)
                after = await nodes.read_clock()
                assert after.beaten_at is not None
                assert before.beaten_at is not None
                really_passed_ms = after.beaten_at - before.beaten_at
                at += really_passed_ms if really_passed_ms <= 700 else 0  # else: like a clock that was set
                assert (told.now, told.gap_ms, after.game_at) == (at, 0, at)

    @pytest.mark.parametrize("forward_ms", [-HOUR, -5_000, 701, HOUR])
    async def test_database_clock_that_was_set_moves_no_game_clock(self, nodes: Nodes, forward_ms: int) -> None:
        await set_database_clock(nodes, forward_ms)
        assert await carry_on(nodes, NOW + 400) == Beat(NOW + 400, 0, alive=True, moved=[])
        assert (await nodes.read_clock()).game_at == NOW + 400


class TestSilence:
    @pytest.mark.parametrize("gap", [0, 500, OVERLOOKED_MS])
    async def test_one_that_is_overlooked_moves_nothing(
        self, nodes: Nodes, matches: Matches, board: Board, gap: int
    ) -> None:
        match = await save_all(matches, board.returned_match())
        assert await beat(nodes, NOW + gap) == Beat(NOW + gap, 0, alive=True, moved=[])
        assert await load(matches, [match.id]) == [match]

    @pytest.mark.parametrize("gap", [OVERLOOKED_MS + 1, HOUR])
    async def test_longer_one_moves_live_matches_and_no_others(
        self, nodes: Nodes, matches: Matches, board: Board, gap: int
    ) -> None:
        played = [await save_all(matches, life(board)) for life in LIVES.values()]
        assert {match.status for match in played} == set(Status)
        now = NOW + gap
        told = await beat(nodes, now)
        wanted = [moved(match, now, gap) for match in played]
        assert await load(matches, [match.id for match in played]) == wanted
        live = [match for match in wanted if match.status in LIVE]
        assert len(live) >= 6
        assert (told.now, told.gap_ms, told.alive) == (now, gap, True)
        assert sorted(told.moved, key=lambda one: one.id) == sorted(map(as_told, live), key=lambda one: one.id)

    async def test_next_beat_moves_nothing_more(self, nodes: Nodes, matches: Matches, board: Board) -> None:
        match = await save_all(matches, board.running())
        await beat(nodes, NOW + HOUR)
        again = await beat(nodes, NOW + HOUR + 500, SECOND)
        assert (again.gap_ms, again.moved) == (0, [])
        assert await load(matches, [match.id]) == [moved(match, NOW + HOUR, HOUR)]

    async def test_each_silence_counts(self, nodes: Nodes, matches: Matches, board: Board) -> None:
        match = await save_all(matches, board.returned_match())
        await beat(nodes, NOW + HOUR)
        await beat(nodes, NOW + HOUR + 3_000)
        twice = moved(moved(match, NOW + HOUR, HOUR), NOW + HOUR + 3_000, 3_000)
        assert await load(matches, [match.id]) == [twice]

    async def test_two_nodes_that_beat_at_the_same_moment_move_once(
        self, nodes: Nodes, other_database: Database, matches: Matches, board: Board
    ) -> None:
        match, last = await save_all(matches, board.running()), NOW
        others = Nodes(other_database)
        for round_ in range(1, 11):
            at = NOW + round_ * HOUR
            both = await asyncio.gather(beat(nodes, at), beat(others, at + 3, SECOND))
            assert sorted(one.gap_ms > 0 for one in both) == [False, True]
            credited = next(one for one in both if one.gap_ms)
            assert credited.gap_ms == credited.now - last
            match = moved(match, credited.now, credited.gap_ms)
            assert await load(matches, [match.id]) == [match]
            last = max(one.now for one in both)
            assert (await nodes.read_clock()).game_at == last

    async def test_beat_that_waited_for_another_sees_no_gap(
        self, nodes: Nodes, other_database: Database, matches: Matches, board: Board
    ) -> None:
        match = await save_all(matches, board.running())
        async with other_database.connection() as connection, connection.transaction():
            await connection.execute("UPDATE pairquiz.heartbeat SET game_at = $1, beaten_at = 0", NOW + HOUR)
            waiting = asyncio.create_task(carry_on(nodes, NOW + HOUR - 100))
            await until_somebody_waits(other_database)
        told = await waiting
        assert (told.now, told.gap_ms) == (NOW + HOUR, 0)
        assert await load(matches, [match.id]) == [match]

    async def test_save_that_was_decided_before_is_stuck(self, nodes: Nodes, matches: Matches, board: Board) -> None:
        match = await save_all(matches, board.running())
        decided = answered(match, 0, 0)
        await beat(nodes, NOW + HOUR)
        assert await matches.save([decided]) == {match.id}
        (current,) = await load(matches, [match.id])
        assert not await matches.save([answered(current, 0, 0, at=NOW + HOUR)])

    async def test_match_that_is_saved_while_the_beat_waits_for_it_moves_from_there(
        self, nodes: Nodes, other_database: Database, matches: Matches, board: Board
    ) -> None:
        still, ending = [await save_all(matches, board.running()) for _ in range(2)]
        async with other_database.connection() as connection, connection.transaction():
            await connection.execute("UPDATE pairquiz.matches SET version = 9 WHERE id = $1", still.id)
            await connection.execute(
                "UPDATE pairquiz.matches SET status = 'completed', ended_at = 1, end_reason = 'deadline' WHERE id = $1",
                ending.id,
            )
            waiting = asyncio.create_task(beat(nodes, NOW + HOUR))
            await until_somebody_waits(other_database)
        told = await waiting
        assert [(one.id, one.version) for one in told.moved] == [(still.id, 10)]
        after = await load(matches, [still.id, ending.id])
        assert [(match.version, match.deadline_at) for match in after] == [
            (10, NOW + HOUR + still.span_ms), (ending.version, ending.deadline_at),
        ]  # fmt: skip

    async def test_absence_begins_anew_with_what_it_was_allowed(
        self, nodes: Nodes, matches: Matches, board: Board
    ) -> None:
        running = merged(board.running())
        spent = replace(running.match, seats=tuple(replace(seat, away_ms=55_000) for seat in running.match.seats))
        await matches.save([replace(running, match=spent)])
        match = await save_all(matches, [gone(spent, 0, Cause.CONNECTION_LOST, at=NOW + 1_000)])
        assert match.seats[0].absence == Absence(NOW + 1_000, Cause.CONNECTION_LOST, NOW + 6_000)
        await beat(nodes, NOW + HOUR)
        (after,) = await load(matches, [match.id])
        assert after.seats[0].absence == Absence(NOW + HOUR, Cause.CONNECTION_LOST, NOW + HOUR + 5_000)
        assert (after.due_at, after.seats[0].away_ms) == (NOW + HOUR + 5_000, 55_000)

    @pytest.mark.parametrize("seed", range(8))
    async def test_any_match_is_due_when_its_rules_say(
        self, nodes: Nodes, matches: Matches, board: Board, seed: int
    ) -> None:
        random = Random(seed)
        played = [any_match(board, random) for _ in range(25)]
        assert not await matches.save(played)
        last, now = NOW, NOW + random.choice([2_001, 30_000, HOUR])
        wanted = [change.match for change in played]
        for _ in range(3):
            told = await beat(nodes, now)
            assert told.gap_ms == now - last
            wanted = [moved(match, now, now - last) for match in wanted]
            loaded = await load(matches, [match.id for match in wanted])
            assert loaded == wanted
            for match in loaded:
                if match.status is Status.IN_PROGRESS:
                    assert match.due_at == match.running_due_at()
            last, now = now, now + random.choice([2_001, 30_000, HOUR])

    @pytest.mark.parametrize("after_ms", [-HOUR // 2, 0, 1, 20_000])
    async def test_answer_in_the_pause_or_after_it_has_the_bonus_of_the_paused_clock(
        self, nodes: Nodes, matches: Matches, board: Board, after_ms: int
    ) -> None:
        match = await save_all(matches, board.running())
        await beat(nodes, NOW + 1_900)  # the last sign of life: the clock stops here
        resumed_at = NOW + 1_900 + HOUR
        await beat(nodes, resumed_at)
        (after,) = await load(matches, [match.id])
        question = after.questions[0]
        change = answered(after, 0, 0, choice=question.correct, at=resumed_at + after_ms)
        given = change.match.seats[0].answers[0]
        elapsed_ms = 1_900 + max(after_ms, 0)
        assert given.bonus == match.scoring.speed_bonus * (match.span_ms - elapsed_ms) // match.span_ms
        assert not await matches.save([change])
        assert await load(matches, [match.id]) == [change.match]

    async def test_beats_and_saves_at_the_same_time_never_deadlock(
        self, nodes: Nodes, database: Database, other_database: Database, board: Board
    ) -> None:
        stores = [Matches(database), Matches(other_database)]
        others = Nodes(other_database)
        running = [merged(board.running()) for _ in range(12)]
        await stores[0].save(running)
        ids = [change.match.id for change in running]
        random, gaps = Random(7), []
        for number in range(1, 41):
            current = await stores[0].load(ids)
            batches = [[touched(current[one]) for one in random.sample(ids, k=8)] for _ in stores]
            at = NOW + number * 3_000
            _, first, _, second = await asyncio.wait_for(
                asyncio.gather(
                    stores[0].save(batches[0]), beat(nodes, at), stores[1].save(batches[1]), beat(others, at, SECOND)
                ),
                timeout=30,
            )
            gaps += [told.gap_ms for told in (first, second) if told.gap_ms]
        after = await stores[0].load(ids)
        wanted = {change.match.span_ms + NOW + sum(gaps) for change in running}
        assert {match.deadline_at for match in after.values()} == wanted, "each silence moved each match, and once"
        assert len(gaps) == 40
        assert await deadlocks(database, other_database) == 0


def as_told(match: Match) -> MovedMatch:
    second = match.seats[1] if len(match.seats) == 2 else None
    return MovedMatch(
        id=match.id,
        version=match.version,
        deadline_at=match.deadline_at,
        player1_id=match.seats[0].player.id,
        player2_id=second.player.id if second else None,
        player1_reconnect_by=match.seats[0].absence.reconnect_by if match.seats[0].absence else None,
        player2_reconnect_by=second.absence.reconnect_by if second and second.absence else None,
        reveals=match.reveals or None,
        closes_at=match.closes_at,
        tick_at=match.tick_at,
    )


def touched(match: Match) -> Change:
    """The same match one version later: a change that can be made without end."""
    return Change(match.version, replace(match, version=match.version + 1), ())


def any_match(board: Board, random: Random) -> Change:
    """A match after some moves of both, as it is saved at once."""
    changes = board.running()[: random.choice([1, 2, 3, 3, 3, 3])]
    at = NOW
    for _ in range(random.randrange(8)):
        at += random.choice([1, 900, 4_000, 11_000])
        match = changes[-1].match
        player_id = random.choice(match.seats).player.id
        moves: list[Command] = [
            *(MarkAbsent(match_id=match.id, player_id=player_id, cause=cause, patience=PATIENCE) for cause in Cause),
            MarkPresent(match_id=match.id, player_id=player_id),
        ]
        if match.questions:
            question = random.choice(match.questions)
            moves.append(SubmitAnswer(match_id=match.id, player_id=player_id, question_id=question.id, answer=0))
            moves.append(CompleteQuiz(match_id=match.id, player_id=player_id))
        try:
            decision = decide(match, random.choice(moves), at)
        except Refused:
            continue
        if decision.events:
            changes.append(Change(match.version, decision.match, decision.events))
    return merged(changes)
