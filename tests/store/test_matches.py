import asyncio
from collections.abc import Callable
from random import Random
from uuid import uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.store.matches import DueMatch
from pairquiz_server.store.pool import Database
from pairquiz_server.store.rows import Change
from tests.store.deadlocks import deadlocks
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, answered, completed, ended, joined, left, merged, save_all
from tests.store.numbered import Matches

TABLES_OF_A_BATCH = ("players", "draws", "answers", "feature_usage")
LIVES: dict[str, Callable[[Board], list[Change]]] = {
    "waiting": Board.waiting_match,
    "ready": Board.ready_match,
    "in_progress": Board.running,
    "paired": Board.paired_match,
    "with answers": Board.answered_match,
    "waiting, its creator away": Board.waiting_match_alone,
    "ready, both away": Board.ready_match_alone,
    "in_progress, one away": Board.returned_match,
    "completed by an absence": Board.forsaken_match,
    "abandoned by both": Board.forsaken_match_of_both,
    "rounds, the first": Board.match_in_first_round,
    "rounds, a pause": Board.match_between_rounds,
    "rounds, a later one": Board.match_in_later_round,
    "rounds, one away": Board.match_in_rounds_alone,
    "rounds, both away": Board.forsaken_match_in_rounds,
    "rounds, abandoned by both": Board.abandoned_match_in_rounds,
    "rounds, completed": Board.completed_match_in_rounds,
    "completed": Board.completed_match,
    "completed by deadline": Board.overdue_match,
    "completed by a forfeit": Board.forfeited_match,
    "abandoned": Board.abandoned_match,
    "expired while waiting": Board.unjoined_match,
    "expired while ready": Board.unstarted_match,
    "ready, ended by the operator": Board.match_that_the_operator_ends,
    "in_progress, ended by the operator": Board.running_match_that_the_operator_ends,
    "completed by the operator": Board.match_whose_winner_the_operator_names,
}


async def counts(database: Database) -> dict[str, int]:
    return {table: await database.fetchval(f"SELECT count(*) FROM pairquiz.{table}") for table in TABLES_OF_A_BATCH}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
async def test_a_match_is_loaded_as_it_was_saved_step_by_step_or_at_once(
    matches: Matches, board: Board, life: Callable[[Board], list[Change]]
) -> None:
    at_once = merged(life(board))
    for change in (*life(board), at_once):
        assert not await matches.save([change])
        assert await matches.load([change.match.id]) == {change.match.id: change.match}


async def test_what_the_operator_has_ended_is_stored_in_words_that_the_version_before_can_read(
    matches: Matches, database: Database, board: Board
) -> None:
    stored = []
    for life in (
        Board.match_that_the_operator_ends,
        Board.running_match_that_the_operator_ends,
        Board.match_whose_winner_the_operator_names,
    ):
        match = await save_all(matches, life(board))
        query = "SELECT status::text, end_reason::text, forfeited_by, by_operator FROM pairquiz.matches WHERE id = $1"
        (record,) = await database.fetch(query, match.id)
        stored.append(tuple(record))
    assert stored == [
        ("abandoned", "player_left", None, True),
        ("abandoned", "both_absent", None, True),
        ("completed", "player_left", 2, True),
    ]


def test_every_state_is_among_the_lives(board: Board) -> None:
    assert {life(board)[-1].match.status for life in LIVES.values()} == set(Status)


async def test_a_loaded_match_shows_options_in_its_own_order_with_the_right_one_marked(
    database: Database, matches: Matches, board: Board
) -> None:
    match = await save_all(matches, board.running())
    assert any(question.option_order != (0, 1, 2, 3) for question in match.questions)
    for question in (await matches.load([match.id]))[match.id].questions:
        stored = (await database.fetch("SELECT * FROM pairquiz.questions WHERE id = $1", question.id))[0]
        assert question.options == tuple(stored["options"][place] for place in question.option_order)
        assert question.options[question.correct] == stored["options"][stored["correct"]]


async def test_a_batch_of_many_matches_is_saved_at_once(matches: Matches, board: Board) -> None:
    lives = [life(board) for life in LIVES.values() for _ in range(10)]
    assert not await matches.save([merged(life[:-1]) for life in lives if len(life) > 1])
    lasts = [life[-1] for life in lives]
    assert not await matches.save(lasts)
    assert await matches.load([one.match.id for one in lasts]) == {one.match.id: one.match for one in lasts}


async def test_a_change_that_was_decided_on_an_old_version_writes_nothing(
    database: Database, matches: Matches, board: Board
) -> None:
    running = board.running()
    ready = await save_all(matches, running[:2])
    won = await save_all(matches, [running[2], answered(running[2].match, 0, 0)])
    before = await counts(database)

    stale_start, stale_answer = board.started(ready), answered(running[2].match, 1, 3)
    for stale in (stale_start, stale_answer, left(ready, 1), merged([stale_start, answered(stale_start.match, 1, 1)])):
        assert await matches.save([stale]) == {won.id}
    assert await counts(database) == before
    assert await matches.load([won.id]) == {won.id: won}


async def test_a_joiner_who_came_second_becomes_no_row(database: Database, matches: Matches, board: Board) -> None:
    created = board.created()
    await save_all(matches, [created, joined(created.match, BEN)])
    assert await matches.save([joined(created.match, CARA)]) == {created.match.id}
    assert await database.fetchval("SELECT count(*) FROM pairquiz.players WHERE id = $1", CARA.id) == 0


async def test_only_the_conflicting_half_of_a_batch_stays_out(
    database: Database, matches: Matches, board: Board
) -> None:
    matches_running = [await save_all(matches, board.running()) for _ in range(6)]
    overtaken = [await save_all(matches, [answered(match, 0, 0)]) for match in matches_running[:3]]
    before = await counts(database)

    batch = [answered(match, 1, 1) for match in matches_running]
    assert await matches.save(batch) == {match.id for match in overtaken}
    after = await counts(database)
    assert after["answers"] == before["answers"] + 3
    moved = [change.match for change in batch[3:]]
    assert await matches.load([match.id for match in matches_running]) == {
        match.id: match for match in (*overtaken, *moved)
    }


@pytest.mark.parametrize("taken", [{"join_code": "SAMECODE"}, {"request_id": "same"}], ids=str)
async def test_a_creation_that_collides_does_not_move(
    database: Database, matches: Matches, board: Board, taken: dict[str, str]
) -> None:
    await save_all(matches, [board.created(**taken)])
    before = await counts(database)
    colliding, free = board.created(**taken), board.created()
    assert await matches.save([colliding]) == {colliding.match.id}
    assert await counts(database) == before
    assert await matches.save([colliding, free]) == {colliding.match.id}
    assert await matches.load([colliding.match.id, free.match.id]) == {free.match.id: free.match}


@pytest.mark.parametrize("taken", [{"join_code": "SAMECODE"}, {"request_id": "same"}], ids=str)
async def test_of_two_colliding_creations_in_a_batch_one_moves(
    matches: Matches, board: Board, taken: dict[str, str]
) -> None:
    both = [board.created(**taken), board.created(**taken)]
    stuck = await matches.save(both)
    assert len(stuck) == 1
    assert set(await matches.load([one.match.id for one in both])) == {one.match.id for one in both} - stuck


async def test_a_join_code_is_free_again_when_its_match_no_longer_waits(matches: Matches, board: Board) -> None:
    first = board.created(join_code="SAMECODE")
    await save_all(matches, [first, joined(first.match)])
    assert not await matches.save([board.created(join_code="SAMECODE")])


async def test_different_players_may_use_the_same_request_id(matches: Matches, board: Board) -> None:
    assert not await matches.save([board.created(player, request_id="same") for player in (ANNA, BEN, CARA)])


async def test_a_player_stays_as_first_written(database: Database, matches: Matches, board: Board) -> None:
    first = board.created(replace(ANNA, label="17"), at=NOW)
    later = board.created(Player(ANNA.id, PlayerKind.USER, "Another", "18"), at=NOW + 1)
    await save_all(matches, [first])
    await save_all(matches, [later])
    rows = await database.fetch("SELECT kind, display_name, label, created_at FROM pairquiz.players")
    assert [tuple(row) for row in rows] == [("guest", "Anna", "17", NOW)]
    assert (await matches.load([later.match.id]))[later.match.id].seats[0].player == ANNA


async def test_a_player_who_creates_with_and_without_a_label_in_one_batch_is_written_once(
    database: Database, matches: Matches, board: Board
) -> None:
    assert not await matches.save([board.created(replace(ANNA, label=label)) for label in (None, "17", None)])
    assert await database.fetchval("SELECT count(*) FROM pairquiz.players") == 1


async def test_two_nodes_saving_overlapping_batches_never_deadlock(
    database: Database, other_database: Database, board: Board
) -> None:
    nodes = [Matches(database), Matches(other_database)]
    running = [merged(board.running()) for _ in range(12)]
    await nodes[0].save(running)
    current = {change.match.id: change.match for change in running}
    random = Random(1)
    saved = 0
    for number in range(200):
        batches = [
            [_touched(match, at=NOW + number) for match in random.sample(list(current.values()), k=8)] for _ in nodes
        ]
        stuck = await asyncio.gather(*(node.save(batch) for node, batch in zip(nodes, batches, strict=True)))
        moved = [
            change.match
            for batch, left_out in zip(batches, stuck, strict=True)
            for change in batch
            if change.match.id not in left_out
        ]
        assert len({match.id for match in moved}) == len(moved), "two nodes moved the same version"
        current |= {match.id: match for match in moved}
        saved += len(moved)
    assert saved >= 200 * 8
    assert await nodes[0].load(list(current)) == current
    assert await deadlocks(database, other_database) == 0


def _touched(match: Match, *, at: int) -> Change:
    """The same match one version later, its deadline moved: a change that can be made without end."""
    return Change(match.version, replace(match, version=match.version + 1, deadline_at=at, due_at=at), ())


async def test_a_code_opens_a_waiting_match_to_everybody(matches: Matches, board: Board) -> None:
    match = await save_all(matches, [board.created(join_code="CODE1234")])
    for player in (ANNA, BEN, CARA):
        assert await matches.find_by_code("CODE1234", player.id) == match.id
    assert await matches.find_by_code("CODE1235", BEN.id) is None


async def test_a_code_leads_only_the_joiner_back_once_the_match_is_joined(matches: Matches, board: Board) -> None:
    created = board.created(join_code="CODE1234")
    match = await save_all(matches, [created, joined(created.match, BEN)])
    assert await matches.find_by_code("CODE1234", BEN.id) == match.id
    assert await matches.find_by_code("CODE1234", CARA.id) is None
    assert await matches.find_by_code("CODE1234", ANNA.id) is None


async def test_a_code_of_a_waiting_match_goes_before_one_joined_earlier(matches: Matches, board: Board) -> None:
    first = board.created(join_code="CODE1234")
    await save_all(matches, [first, joined(first.match, BEN)])
    second = await save_all(matches, [board.created(CARA, join_code="CODE1234", at=NOW - 1)])
    assert await matches.find_by_code("CODE1234", BEN.id) == second.id


async def test_a_code_opens_nothing_once_the_match_has_expired(matches: Matches, board: Board) -> None:
    created = board.created(join_code="CODE1234")
    await save_all(matches, [created, ended(created.match)])
    for player in (ANNA, BEN):
        assert await matches.find_by_code("CODE1234", player.id) is None


async def test_a_request_finds_the_match_of_its_own_player_until_it_is_forgotten(
    matches: Matches, board: Board
) -> None:
    old = await save_all(matches, [board.created(request_id="old", at=NOW - 1)])
    new = await save_all(matches, [board.created(request_id="new", at=NOW)])
    assert await matches.find_before_creation(ANNA.id, "old", 9) == (old.id, 2)
    assert await matches.find_before_creation(BEN.id, "old", 9) == (None, 0)

    await matches.forget_requests(NOW)
    assert await matches.find_before_creation(ANNA.id, "old", 9) == (None, 2)
    assert await matches.find_before_creation(ANNA.id, "new", 1) == (new.id, 1)
    assert await matches.find_before_creation(ANNA.id, None, 0) == (None, 0)
    assert (await matches.load([old.id]))[old.id] == replace(old, request_id=None)
    assert not await matches.save([joined(old)]), "forgetting is no change of the match"


async def test_live_matches_of_both_seats_are_found_oldest_first(matches: Matches, board: Board) -> None:
    ids: dict[str, str] = {}
    for age, (name, life) in enumerate(LIVES.items()):
        changes = life(board)
        aged = [replace(change, match=replace(change.match, created_at=NOW - age)) for change in changes]
        ids[name] = (await save_all(matches, [*aged])).id
    rounds = [f"rounds, {where}" for where in ("both away", "one away", "a later one", "a pause", "the first")]
    away = [*rounds, "in_progress, one away", "ready, both away"]
    joined_by_ben = [*away, "with answers", "paired", "in_progress", "ready"]
    assert await matches.find_live_of([CARA.id, ANNA.id, BEN.id]) == {
        ANNA.id: [ids[name] for name in (*away, "waiting, its creator away", *joined_by_ben[len(away) :], "waiting")],
        BEN.id: [ids[name] for name in joined_by_ben],
    }


async def test_what_players_have_not_heard_of_has_moved_since_or_is_live_and_unknown(
    matches: Matches, board: Board
) -> None:
    moved, over, same = [
        await save_all(matches, life(board))
        for life in (Board.answered_match, Board.completed_match, Board.ready_match)
    ]
    unknown = await save_all(matches, board.waiting_match())
    await save_all(matches, board.abandoned_match())  # over, and not known
    known = {moved.id: moved.version - 1, over.id: over.version - 1, same.id: same.version}
    found = await matches.find_unheard({ANNA.id: known, BEN.id: known | {over.id: over.version}, CARA.id: {}})
    assert {player: set(ids) for player, ids in found.items()} == {
        ANNA.id: {moved.id, over.id, unknown.id},
        BEN.id: {moved.id},
    }
    assert await matches.find_unheard({}) == {}


async def test_due_matches_are_found_longest_overdue_first_up_to_the_limit(matches: Matches, board: Board) -> None:
    ages = [3, 1, 4, 0, 5, 9, 2, 6]
    waiting = [await save_all(matches, [board.created(at=NOW + age)]) for age in ages]
    in_order = [DueMatch(match.id, Status.WAITING) for match in sorted(waiting, key=lambda match: match.due_at)]
    last = max(match.due_at for match in waiting)
    assert await matches.find_due(last, 100) == in_order
    assert await matches.find_due(last - 1, 100) == in_order[:-1]
    assert await matches.find_due(last, 2) == in_order[:2]


async def test_only_live_matches_are_due(matches: Matches, board: Board) -> None:
    saved = [await save_all(matches, life(board)) for life in LIVES.values()]
    live = {(match.id, match.status) for match in saved if match.ended_at is None}
    found = await matches.find_due(max(match.due_at for match in saved), 100)
    assert {(one.id, one.status) for one in found} == live
    assert {status for _, status in live} == LIVE


async def test_a_due_match_that_another_node_is_writing_is_skipped(
    matches: Matches, other_database: Database, board: Board
) -> None:
    first, second = [await save_all(matches, [board.created(at=NOW + age)]) for age in range(2)]
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM pairquiz.matches WHERE id = $1 FOR UPDATE", first.id)
        assert await matches.find_due(second.due_at, 10) == [DueMatch(second.id, Status.WAITING)]
    assert [one.id for one in await matches.find_due(second.due_at, 10)] == [first.id, second.id]


async def test_the_next_due_match_is_the_first_live_one_after_a_time(matches: Matches, board: Board) -> None:
    assert await matches.next_due(0) is None
    match = await save_all(matches, [board.created()])
    assert await matches.next_due(match.due_at - 1) == match.due_at
    assert await matches.next_due(match.due_at) is None
    await save_all(matches, [ended(match)])
    assert await matches.next_due(0) is None


async def test_unknown_matches_are_not_loaded(matches: Matches, board: Board) -> None:
    match = await save_all(matches, board.completed_match())
    assert set(await matches.load([match.id, str(uuid4())])) == {match.id}
    assert await matches.load([]) == {}


async def test_a_batch_without_changes_is_harmless(matches: Matches) -> None:
    assert await matches.save([]) == frozenset()


async def test_a_second_completion_is_saved_with_both_times(matches: Matches, board: Board) -> None:
    running = await save_all(matches, board.running())
    first = completed(running, 1, at=NOW + 7)
    match = await save_all(matches, [first, completed(first.match, 0, at=NOW + 9)])
    assert [seat.completed_at for seat in (await matches.load([match.id]))[match.id].seats] == [NOW + 9, NOW + 7]
