"""A person who wants to go is erased everywhere, step by step, and others keep what is theirs."""

import asyncio

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import ERASED_ID, ERASED_NAME, Player, PlayerKind
from pairquiz_server.store import erasures as erasures_module
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, save_all
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches
from tests.store.person import PERSON, PERSONAL, erase, exported, step, tables_with


async def test_an_erased_person_is_nowhere(
    database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    for text in PERSONAL:
        assert await tables_with(database, text), f"{text}: the test has nothing to look for"
    assert await erase(erasures, bans)
    for text in PERSONAL:
        assert await tables_with(database, text) == set()
    assert await database.fetch("SELECT FROM pairquiz.rematches") == []
    assert await database.fetchval("SELECT count(*) FROM pairquiz.bans WHERE digest = $1", bans.digest(PERSON.id)) == 1


async def test_opponents_keep_their_results_without_the_name(
    matches: Matches, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    found = await matches.load([match.id for match in lived])
    against = lived[:-1]
    assert set(found) == {match.id for match in against}
    for before in against:
        after = found[before.id]
        assert [seat.player.id for seat in after.seats].count(CARA.id) == 1
        for seat, was in zip(after.seats, before.seats, strict=True):
            player = was.player if was.player == CARA else Player(ERASED_ID, PlayerKind.ERASED, ERASED_NAME)
            assert seat == replace(was, player=player)
        assert after.request_id is None
        assert (after.status, after.version, after.forfeited_by) == (before.status, before.version, before.forfeited_by)


async def test_a_match_of_two_who_are_erased_is_deleted(
    database: Database, matches: Matches, board: Board, erasures: Erasures, bans: Bans
) -> None:
    await save_all(matches, board.completed_match())
    for player in (ANNA, BEN):
        await erasures.wish(player.id)
        assert await erase(erasures, bans, player.id)
    for table in ("matches", "answers", "draws", "erasures"):
        assert await database.fetchval(f"SELECT count(*) FROM pairquiz.{table}") == 0
    rows = await database.fetch(
        "SELECT p.id, player_id FROM pairquiz.players AS p LEFT JOIN pairquiz.feature_usage ON true"
    )
    assert {(row["id"], row["player_id"]) for row in rows} == {(ERASED_ID, ERASED_ID)}


async def test_an_erasure_goes_on_where_it_was_stopped(
    database: Database, erasures: Erasures, bans: Bans, lived: list[Match], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures_module, "ROWS_AT_ONCE", 1)
    await erasures.stand_in()
    steps = 0
    while await step(erasures):
        steps += 1
        assert not await Erasures(database).finish(PERSON.id, bans.digest(PERSON.id), 0) or steps > len(lived)
    assert steps > len(lived)
    assert await tables_with(database, PERSON.id) == set()


async def test_an_erasure_waits_for_a_match_that_goes_on(
    database: Database, matches: Matches, board: Board, erasures: Erasures, bans: Bans
) -> None:
    running = board.running()
    await save_all(matches, running)
    await erasures.wish(ANNA.id)
    assert not await erase(erasures, bans, ANNA.id)
    match = (await matches.load([running[-1].match.id]))[running[-1].match.id]
    assert match == running[-1].match, "a live match is the committer's"


async def test_an_erasure_is_not_finished_before_every_node_has_heard_of_it(
    erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0), "what comes before it is not done"
    await erasures.stand_in()
    while await step(erasures):
        pass
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 3600)
    assert await erasures.pending() == [PERSON.id]
    assert await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0)
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0)


async def test_an_erasure_skips_a_match_that_is_being_written(
    database: Database, other_database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    async with other_database.connection() as connection, connection.transaction():
        await connection.fetch("SELECT FROM pairquiz.matches WHERE id = $1 FOR UPDATE", lived[0].id)
        assert not await erase(erasures, bans)
    assert await erase(erasures, bans)


async def test_an_erasure_waits_for_a_match_that_is_just_being_opened(
    database: Database, other_database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    topic = lived[0].topic_id
    await erasures.stand_in()
    while await step(erasures):
        pass
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute(
            """
            INSERT INTO pairquiz.matches (id, version, status, topic_id, question_count, time_limit_s, points,
                speed_bonus, join_code, player1_id, created_at, due_at)
            VALUES (gen_random_uuid(), 1, 'waiting', $1, 5, 30, 100, 50, 'JUSTNOW1', $2, 1, 1)
            """,
            topic,
            PERSON.id,
        )
        finishing = asyncio.create_task(erasures.finish(PERSON.id, bans.digest(PERSON.id), 0))
        await until_somebody_waits(database)
    assert not await finishing
    assert not await erase(erasures, bans)
    await database.fetch(
        "UPDATE pairquiz.matches SET status = 'expired', ended_at = 1 WHERE player1_id = $1", PERSON.id
    )
    assert await erase(erasures, bans)


async def test_who_was_erased_may_come_back_as_somebody_new(
    matches: Matches, board: Board, players: Players, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    again = board.created(replace(PERSON, display_name="New Name"), at=NOW + 1)
    await save_all(matches, [again])
    whole = await exported(players, bans)
    assert [match["id"] for match in whole["matches"]] == [again.match.id]
    assert whole["player"]["display_name"] == "New Name"
