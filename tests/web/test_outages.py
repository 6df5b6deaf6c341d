"""What the server's own absence takes from nobody."""

import time
from typing import Any

from pairquiz_server.store.pool import Database
from tests.client import connected, ready_match, started_match
from tests.conftest import Server, serving
from tests.web.duel import answering

HOUR = 3_600_000


async def age(database: Database, **by_ms: int) -> None:
    """Let it be longer ago that the service beat."""
    for column, ms in by_ms.items():
        await database.fetch(f"UPDATE pairquiz.heartbeat SET {column} = {column} - $1", ms)


async def age_matches(database: Database, ms: int) -> None:
    """Let everything in the matches be longer ago."""
    columns = ("started_at", "deadline_at", "due_at")
    columns += tuple(f"player{number}_{what}" for number in (1, 2) for what in ("absent_since", "reconnect_by"))
    changes = ", ".join(f"{column} = {column} - $1" for column in columns)
    await database.fetch(f"UPDATE pairquiz.matches SET {changes}", ms)


async def test_players_hear_of_their_new_deadline_when_the_service_is_back(server: Server, database: Database) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        async with connected(server.url) as third:
            lobby = await ready_match(first, third)
            await third.close()
            await first.event("opponent_disconnected")
            await age(database, game_at=HOUR)
            delayed: dict[str, Any] = {}
            for _ in range(2):
                one = await first.event("session_delayed")
                delayed[one["session_id"]] = one
        running, waiting = delayed[started["session_id"]], delayed[lobby]
        assert (await second.event("session_delayed")) == running
        assert 0 <= running["delayed_ms"] - HOUR < 2000
        assert running["deadline_at"] == started["deadline_at"] + running["delayed_ms"]
        assert (running["version"], waiting["deadline_at"]) == (started["version"] + 1, None)
        answered = await first.ask("submit_answer", answering(started))
        assert (answered["ok"], answered["version"]) == (True, running["version"] + 1)


async def test_both_hear_the_same_countdown_after_an_outage(server: Server, database: Database) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        second.cut()
        gone = await first.event("opponent_disconnected")
        await age(database, game_at=HOUR)
        delayed = await first.event("session_delayed")
        now = server.running.game.now()
        assert 0 <= now + 30_000 - delayed["opponent_reconnect_by"] < 2000
        assert delayed["opponent_reconnect_by"] > gone["reconnect_by"]
        state = await first.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert state["opponent"]["reconnect_by"] == delayed["opponent_reconnect_by"]


async def test_a_crash_in_the_night_ends_no_match(database_url: str, database: Database) -> None:
    async with (
        serving(database_url, {}) as server,
        connected(server.url) as first,
        connected(server.url) as second,
    ):
        started = await started_match(first, second)
    await age(database, game_at=8 * HOUR, beaten_at=8 * HOUR)
    await age_matches(database, 8 * HOUR)
    async with serving(database_url, {}) as server, connected(server.url, token=first.token) as back:
        assert [one["status"] for one in back.welcome["sessions"]] == ["in_progress"]
        state = await back.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert 0 <= state["deadline_at"] - started["deadline_at"] < 10_000
        span_ms = started["deadline_at"] - started["started_at"]
        assert 0 < state["remaining_ms"] <= span_ms + 500  # it started after the beat that was aged
        assert (await back.ask("submit_answer", answering(started)))["ok"]


async def test_a_database_whose_clock_was_set_back_an_hour_brings_no_deadline_nearer(
    database_url: str, database: Database
) -> None:
    """Its clock cannot be set here; that of the last beat can, which is the same to a server that starts."""
    async with (
        serving(database_url, {}) as server,
        connected(server.url) as first,
        connected(server.url) as second,
    ):
        started = await started_match(first, second)
    await age(database, game_at=-HOUR, beaten_at=-HOUR)
    await age_matches(database, -HOUR)
    async with serving(database_url, {}) as server, connected(server.url, token=first.token) as back:
        state = await back.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        # For how long it was away nobody can know, but at least for as long as the new one has listened for others.
        assert 0 <= state["deadline_at"] - started["deadline_at"] - HOUR < 10_000
        assert (
            -500 <= started["deadline_at"] - started["started_at"] - state["remaining_ms"] < 10_000
        )  # it began after the beat that was moved
        assert (await back.ask("submit_answer", answering(started)))["ok"]


async def test_a_server_that_joins_goes_on_with_the_clock_of_those_that_run(
    database_url: str, database: Database
) -> None:
    async with serving(database_url, {"PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0"}) as server:
        await age(database, game_at=-HOUR)  # theirs is an hour ahead of the database's: an operator has set that
        async with connected(server.url) as first, connected(server.url) as second:
            while server.running.game.now() < time.time() * 1000 + HOUR - 10_000:
                await first.settled()
            started = await started_match(first, second)
            async with serving(database_url, {}) as joined, connected(joined.url, token=first.token) as back:
                assert abs(joined.running.game.now() - server.running.game.now()) < 500
                state = await back.ask("resume_pair_quiz", {"session_id": started["session_id"]})
                assert state["deadline_at"] == started["deadline_at"]
                assert (await back.ask("submit_answer", answering(started)))["ok"]
