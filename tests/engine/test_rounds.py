"""Matches in rounds in the engine: opened and closed by whichever node, also after a crash or a lost commit."""

import asyncio

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.leads import Leads
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import CompleteQuiz, MarkAbsent
from pairquiz_server.rules.events import EndReason, Event, MatchEnded, RoundClosed, RoundOpened
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.player import GHOST_ID, Player, PlayerKind
from pairquiz_server.rules.rounds import COMMITTED_WITHIN_MS, UNMEASURED_TRIP_MS
from pairquiz_server.rules.terms import Ghost, Pace
from pairquiz_server.store.pool import Database
from tests.engine.stage import ALICE, BOB, MARGIN_MS, RULES, HandClock, Node, answer, code, running_node

LEAD_MS = COMMITTED_WITHIN_MS + UNMEASURED_TRIP_MS
LIMIT_MS = RULES.time_limit_s * 1000


@pytest.fixture
async def match(node: Node) -> Match:
    """A match of three rounds, in the first."""
    return await node.started(question_count=3, pace=Pace.ROUNDS)


def rounds(*nodes: Node, match: Match) -> list[Event]:
    """The events of rounds that nodes have told, in the order of their versions."""
    told = [event for node in nodes for event in node.told_of(match.id)]
    return sorted(
        (event for event in told if isinstance(event, RoundOpened | RoundClosed)), key=lambda event: event.version
    )


async def both_answer(match: Match, first: Node, second: Node) -> None:
    place = len((await first.stored(match)).reveals) - 1
    for player, node in ((ALICE, first), (BOB, second)):
        assert code(await node.send(answer(match, player, place, 0))) == "accepted"


async def test_rounds_are_played_to_the_end_over_two_nodes(node: Node, other_node: Node, match: Match) -> None:
    clock = node.clock
    assert match.reveals == (clock.at + LEAD_MS,)
    for index in range(3):
        clock.at += LEAD_MS + 1_000
        await both_answer(match, node, other_node)
        if index < 2:
            clock.at += RULES.round_pause_ms - 1
            await node.sweeper.sweep()
            assert len((await node.stored(match)).reveals) == index + 1
            clock.at += 1
            await asyncio.gather(node.sweeper.sweep(), other_node.sweeper.sweep())
            assert (await node.stored(match)).reveals[-1] == clock.at + LEAD_MS
    over = await node.stored(match)
    assert (over.status, over.end_reason) == (Status.COMPLETED, EndReason.ALL_ANSWERED)
    told = rounds(node, other_node, match=match)
    assert [(type(event), event.index) for event in told] == [
        (kind, index) for index in range(3) for kind in (RoundOpened, RoundClosed)
    ]
    versions = [event.version for one in (node, other_node) for event in one.told_of(match.id)]
    assert sorted(set(versions)) == list(range(1, over.version + 1)), "each change is told, at one node"


async def test_sweeper_is_told_when_the_next_round_opens(node: Node, match: Match) -> None:
    await both_answer(match, node, node)
    assert node.watched[-1].match.tick_at == node.clock.at + RULES.round_pause_ms


async def test_two_sweepers_close_a_round_once_whose_time_is_over(node: Node, other_node: Node, match: Match) -> None:
    closes_at = match.closes_at
    assert closes_at == node.clock.at + LEAD_MS + LIMIT_MS
    node.clock.at = closes_at + MARGIN_MS - 1
    await asyncio.gather(node.sweeper.sweep(), other_node.sweeper.sweep())
    assert await node.stored(match) == match
    node.clock.at += 1
    await asyncio.gather(node.sweeper.sweep(), other_node.sweeper.sweep())
    closed = await node.stored(match)
    assert (closed.version, closed.closes_at) == (match.version + 1, None)
    assert len(rounds(node, other_node, match=match)) == 2


async def test_match_whose_players_say_nothing_comes_to_its_end(node: Node, match: Match) -> None:
    for _ in range(3):
        stored = await node.stored(match)
        assert stored.closes_at is not None
        node.clock.at = stored.closes_at + MARGIN_MS
        await node.sweeper.sweep()
        node.clock.at += RULES.round_pause_ms
        await node.sweeper.sweep()
    over = await node.stored(match)
    assert (over.status, over.end_reason) == (Status.COMPLETED, EndReason.DEADLINE)
    assert isinstance(node.told_of(match.id)[-1], MatchEnded)


async def test_round_goes_on_in_a_new_process_with_the_time_that_is_left(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock) as first:
        match = await first.started(question_count=2, pace=Pace.ROUNDS)
        clock.at += LEAD_MS + 10_000
        await first.send(answer(match, ALICE, 0, 0))
    async with running_node(database, clock) as second:
        clock.at += 1_000
        assert code(await second.send(answer(match, ALICE, 0, 1))) == "already_answered"
        assert code(await second.send(answer(match, BOB, 1, 0))) == "unknown_question"
        outcome = await second.send(answer(match, BOB, 0, match.questions[0].correct))
        closed = await second.stored(match)
        assert code(outcome) == "accepted"
        assert closed.seats[1].answers[0].bonus == RULES.scoring.speed_bonus * (LIMIT_MS - 11_000) // LIMIT_MS
        clock.at += RULES.round_pause_ms
    async with running_node(database, clock) as third:
        clock.at += 700  # nobody was up when it had to open
        await third.sweeper.sweep()
        assert (await third.stored(match)).reveals[1] == clock.at + LEAD_MS


async def test_answers_that_race_over_two_nodes_close_the_round_once(node: Node, other_node: Node) -> None:
    for _ in range(5):
        match = await node.started(question_count=2, pace=Pace.ROUNDS)
        outcomes = await asyncio.gather(
            node.send(answer(match, ALICE, 0, 0)),
            other_node.send(answer(match, BOB, 0, 0)),
            other_node.send(answer(match, ALICE, 0, 0)),
        )
        assert sorted(map(code, outcomes)) == ["accepted", "accepted", "duplicate"]
        closed = await node.stored(match)
        assert (len(closed.reveals), closed.closes_at) == (1, None)
        assert len(rounds(node, other_node, match=match)) == 2


async def test_closing_whose_commit_was_not_heard_of_is_told_once(node: Node, match: Match) -> None:
    await node.send(answer(match, ALICE, 0, 0))
    node.matches.cut_after = True
    outcome = await node.send(answer(match, BOB, 0, 0))
    assert code(outcome) == "accepted"
    assert [type(event) for event in rounds(node, match=match)] == [RoundOpened, RoundClosed]


async def test_opening_that_never_reached_the_database_is_made_again(node: Node, match: Match) -> None:
    await both_answer(match, node, node)
    node.clock.at += RULES.round_pause_ms
    node.matches.cut_before = True
    node.matches.looking.clear()
    sweeping = asyncio.create_task(node.sweeper.sweep())
    await node.matches.looked.wait()
    node.matches.cut_before = False
    node.matches.looking.set()
    await sweeping
    assert len((await node.stored(match)).reveals) == 2
    assert [event.index for event in rounds(node, match=match) if isinstance(event, RoundOpened)] == [0, 1]


async def test_who_is_done_is_not_waited_for_at_whichever_node(node: Node, other_node: Node, match: Match) -> None:
    assert code(await other_node.send(CompleteQuiz(match_id=match.id, player_id=BOB.id))) == "accepted"
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "accepted"
    assert (await node.stored(match)).closes_at is None


@pytest.mark.parametrize(
    ("trips", "away", "lead_ms"),
    [
        ({ALICE.id: 20, BOB.id: 120}, None, COMMITTED_WITHIN_MS + 120),
        ({ALICE.id: 20, BOB.id: 900}, None, RULES.reveal_lead_max_ms),
        ({ALICE.id: 20}, None, LEAD_MS),
        ({ALICE.id: 20, BOB.id: 120}, BOB, COMMITTED_WITHIN_MS + 20),
    ],
    ids=["both here", "very slow", "one elsewhere", "one away"],
)
async def test_lead_is_by_the_lines_that_are_known_here(
    database: Database, clock: HandClock, trips: dict[str, int], away: object, lead_ms: int
) -> None:
    async with running_node(database, clock, trip_ms=trips.get) as node:
        match = await node.ready(pace=Pace.ROUNDS)
        if away is not None:
            gone = MarkAbsent(match_id=match.id, player_id=BOB.id, cause=Cause.CLOSED, patience=RULES.patience)
            await node.send(gone)
        started = (await node.play(node.game.start, ALICE, match_id=match.id)).match
        assert started.reveals == (clock.at + lead_ms,)


async def test_a_ghost_has_no_line_to_wait_for(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock) as node:
        match = await node.ready(pace=Pace.ROUNDS)
        ghost = Player(GHOST_ID, PlayerKind.GHOST, BOB.display_name)
        match = replace(match.with_seat(1, Seat(ghost)), ghost=Ghost(match.id, 1))
        assert Leads({ALICE.id: 20}.get, RULES.reveal_lead_max_ms).of(match) == COMMITTED_WITHIN_MS + 20
