"""Who is banned, and who has heard of it."""

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import ERASED_ID
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from tests.store.person import PERSON, REASON, erase


async def test_a_ban_is_found_by_its_id_though_the_player_is_erased(
    players: Players, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    (found,) = await players.find(PERSON.id, bans.digest(PERSON.id))
    assert (found.id, found.banned, found.reason) == (None, True, None)
    assert await players.find(ERASED_ID, bans.digest(ERASED_ID)) == []


async def test_a_look_finds_what_was_written_since_the_last_one(
    other_database: Database, bans: Bans, erasures: Erasures
) -> None:
    before = (await bans.look(0)).seen
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute("INSERT INTO pairquiz.bans (digest, player_id) VALUES ($1, 'slow')", bytes(32))
        await bans.ban(PERSON.id, None, 3600)
        look = await bans.look(before)
        assert [row.player_id for row in look.bans] == [PERSON.id]
        assert 3_500_000 < (look.bans[0].left_ms or 0) <= 3_600_000
    late = await bans.look(look.seen)
    assert "slow" in {row.player_id for row in late.bans}, "committed last, begun first"
    assert await bans.unban(PERSON.id)
    assert not await bans.unban(PERSON.id)
    await erasures.wish(PERSON.id)
    last = await bans.look(late.seen)
    assert [row.left_ms is not None and row.left_ms <= 0 for row in last.bans if row.player_id == PERSON.id] == [True]
    assert last.erasing == {PERSON.id}
    assert (await bans.look(last.seen)).bans == []


async def test_a_ban_that_is_over_begins_anew(database: Database, bans: Bans) -> None:
    await bans.ban(PERSON.id, REASON, None)
    await bans.ban(PERSON.id, None, 60)
    (row,) = await database.fetch("SELECT reason, until IS NOT NULL AS ends, banned_at FROM pairquiz.bans")
    assert (row["reason"], row["ends"]) == (REASON, True)
    await bans.unban(PERSON.id)
    await bans.ban(PERSON.id, "another", None)
    (again,) = await database.fetch("SELECT reason, until, banned_at FROM pairquiz.bans")
    assert (again["reason"], again["until"]) == ("another", None)
    assert again["banned_at"] > row["banned_at"]
