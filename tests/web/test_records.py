"""What players come back to: ratings after a duel, profiles, history, head to head, and lists of the best."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from pairquiz_server.rules.player import ERASED_ID, GHOST_ID
from pairquiz_server.rules.weeks import WEEK_MS, begins_at, week_of
from pairquiz_server.web.identity.auth import sign_user_token
from tests.client import Client, connected, ready_match
from tests.conftest import Server, StartServer
from tests.web.conftest import SECRET
from tests.web.rest import SLASH, Rest
from tests.web.two_nodes import start_two
from tests.web.valkey import Valkey, valkey

HISTORY, ME = "/api/pair-quiz/history", "/api/me"
BOARD = "/api/leaderboards/all"
PATIENCE_S = 20.0


class Table:
    """Two players at one server, and what they may ask by REST."""

    def __init__(self, server: Server, rest: Rest, first: Client, second: Client) -> None:
        self.database = server.running.database
        self.rest = rest
        self.first = first
        self.second = second

    async def play(self, *, right: int = 1, fair: bool = True) -> str:
        """Play a match in which the first is right so many times and the second never, until it is remembered.

        As if both had looked for somebody, where it is to be fair.
        """
        session_id = await ready_match(self.first, self.second, question_count=3)
        if fair:
            await self.database.fetch("UPDATE pairquiz.matches SET origin = 'search' WHERE id = $1", session_id)
        await self.first.ask("start_quiz", {"session_id": session_id})
        started = await self.first.event("quiz_started")
        for place, question in enumerate(started["questions"]):
            known = {"session_id": session_id, "question_id": question["id"]}
            text = "SELECT options[correct + 1] FROM pairquiz.questions WHERE id = $1"
            good = await self.database.fetchval(text, question["id"])
            bad = next(option for option in question["options"] if option != good)
            await self.second.ask("submit_answer", {**known, "answer": bad})
            await self.first.ask("submit_answer", {**known, "answer": good if place < right else bad})
        await self.remembered(session_id)
        return session_id

    async def remembered(self, session_id: str) -> None:
        query = "SELECT count(*) FROM pairquiz.results WHERE match_id = $1"
        async with asyncio.timeout(PATIENCE_S):
            while not await self.database.fetchval(query, session_id):
                pass

    async def get(self, path: str, player: Client | None = None) -> dict[str, Any]:
        status, body = await self.rest.call("GET", path, token=player.token if player else None)
        assert status == 200, body
        found: dict[str, Any] = body
        return found


@pytest.fixture
async def table(server: Server) -> AsyncIterator[Table]:
    async with (
        ClientSession() as session,
        connected(server.url) as first,
        connected(server.url) as second,
    ):
        await first.ask("set_profile", {"display_name": "First"})
        await second.ask("set_profile", {"display_name": "Second"})
        yield Table(server, Rest(session, server.url), first, second)


async def test_a_duel_changes_ratings_history_and_the_week(table: Table) -> None:
    session_id = await table.play(right=3)
    won = await table.first.event("rating_changed")
    lost = await table.second.event("rating_changed")
    assert {key: won[key] for key in ("session_id", "topic", "provisional", "weight")} == {
        "session_id": session_id, "topic": "General", "provisional": True, "weight": 1.0,
    }  # fmt: skip
    assert won["rating"] == 1500 + won["change"] > 1500 > lost["rating"] == 1500 + lost["change"]
    assert won["overall"] == {"rating": won["rating"], "change": won["change"], "provisional": True}

    profile = await table.first.ask("set_profile", {})
    counts = {"rated": 1, "matches": 1, "won": 1, "lost": 0, "draw": 0}
    assert profile["topics"] == [{"topic": "General", "rating": won["rating"], "provisional": True, **counts}]
    assert {key: profile[key] for key in counts} == counts
    assert await table.get(ME, table.first) == {key: value for key, value in profile.items() if key != "ok"}

    (match,) = (await table.get(HISTORY, table.second))["matches"]
    results = (await table.second.ask("resume_pair_quiz", {"session_id": session_id}))["results"]
    for key in ("session_id", "your_score", "opponent_score", "outcome", "reason"):
        assert match[key] == results[key], key
    assert match["opponent"] == {"display_name": "First", "kind": "player"}
    assert match["rating"] == {
        "rating": lost["rating"], "change": lost["change"], "provisional": True, "weight": 1.0,
    }  # fmt: skip

    week = await table.get(f"{BOARD}?period=week", table.second)
    assert [(entry["rank"], entry["display_name"], entry["points"]) for entry in week["entries"]] == [
        (1, "First", 3),
        (2, "Second", 0),
    ]
    assert week["ends_at"] - week["begins_at"] == WEEK_MS
    assert week["you"]["rank"] == 2
    assert [entry.get("you", False) for entry in week["you"]["around"]] == [False, True]


async def test_a_match_of_friends_is_remembered_and_rates_nobody(table: Table) -> None:
    await table.play(right=3, fair=False)
    profile = await table.get(ME, table.first)
    assert (profile["rating"], profile["rated"], profile["matches"], profile["won"]) == (1500, 0, 1, 1)
    (match,) = (await table.get(HISTORY, table.first))["matches"]
    assert (match["origin"], match["rating"]) == ("invitation", None)
    assert (await table.get(f"{BOARD}?period=week", table.first))["you"] is None
    assert "rating_changed" not in [name for name, _ in await table.first.settled()]


async def test_the_history_is_read_in_pages_the_latest_first(table: Table) -> None:
    played = [await table.play(fair=False) for _ in range(3)]
    first = await table.get(f"{HISTORY}?limit=2", table.first)
    second = await table.get(f"{HISTORY}?limit=2&cursor={first['next_cursor']}", table.first)
    ids = [match["session_id"] for match in first["matches"] + second["matches"]]
    assert ids == played[::-1]
    assert second["next_cursor"] is None
    whole = await table.get(f"{HISTORY}/?limit=3", table.first)
    assert (whole["matches"], whole["next_cursor"]) == (first["matches"] + second["matches"], None)


async def test_a_cursor_that_is_not_as_it_was_given_is_refused(table: Table) -> None:
    for _ in range(2):
        await table.play(fair=False)
    cursor = (await table.get(f"{HISTORY}?limit=1", table.first))["next_cursor"]
    assert len(cursor) < 64
    other = "B" if cursor[9] == "A" else "A"
    bad = ["", "x", cursor[:-1], cursor + "A", cursor + "=", cursor[:9] + other + cursor[10:], "A" * len(cursor)]
    bad += ["B" * 10_000, "é", "%00", cursor.lower()]
    for text in bad:
        error = await table.rest.refused(
            400, "invalid_payload", "GET", f"{HISTORY}?cursor={quote(text)}", token=table.first.token
        )
        assert "cursor" in error["message"]
    # Nor is it somebody else's.
    await table.rest.refused(400, "invalid_payload", "GET", f"{HISTORY}?cursor={cursor}", token=table.second.token)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "", "٣", "9" * 5000])
async def test_a_limit_out_of_range_is_refused(table: Table, limit: str) -> None:
    for path in (HISTORY, BOARD):
        error = await table.rest.refused(
            400, "invalid_payload", "GET", f"{path}?limit={quote(limit)}", token=table.first.token
        )
        assert error["message"].startswith("limit:")


async def test_head_to_head_counts_all_that_two_have_finished(table: Table) -> None:
    await table.play(right=3)
    await table.play(right=3, fair=False)
    session_id = await table.play(right=0)
    seen = await table.get(f"/api/pair-quiz/{session_id}/head-to-head", table.first)
    rating = (await table.get(ME, table.second))["rating"]
    assert seen["opponent"] == {"display_name": "Second", "rating": rating, "provisional": True}
    assert (seen["matches"], seen["won"], seen["lost"], seen["draw"]) == (3, 2, 0, 1)
    mirrored = await table.get(f"/api/pair-quiz/{session_id}/head-to-head/", table.second)
    assert (mirrored["won"], mirrored["lost"], mirrored["draw"]) == (seen["lost"], seen["won"], seen["draw"])


async def test_head_to_head_is_for_those_who_have_met(table: Table, server: Server) -> None:
    session_id = await table.play(fair=False)
    path = f"/api/pair-quiz/{session_id}/head-to-head"
    async with connected(server.url) as stranger:
        await table.rest.refused(403, "not_a_player", "GET", path, token=stranger.token)
        waiting = (await stranger.ask("create_pair_quiz", {}))["session_id"]
        alone = f"/api/pair-quiz/{waiting}/head-to-head"
        await table.rest.refused(409, "wrong_state", "GET", alone, token=stranger.token)
    await table.rest.refused(401, "unauthorized", "GET", path)
    for unknown in (str(uuid4()), "x"):
        await table.rest.refused(
            404, "not_found", "GET", f"/api/pair-quiz/{unknown}/head-to-head", token=table.first.token
        )
    await table.database.fetch(
        "INSERT INTO pairquiz.players (id, kind, display_name, created_at) VALUES ($1, 'erased', 'Erased player', 0)",
        ERASED_ID,
    )
    await table.database.fetch("UPDATE pairquiz.matches SET player2_id = $1 WHERE id = $2", ERASED_ID, session_id)
    await table.rest.refused(404, "not_found", "GET", path, token=table.first.token)


async def test_a_public_profile_has_what_everybody_may_know(table: Table) -> None:
    await table.play(right=3)
    path = f"/api/players/{quote(table.first.user_id, safe='')}"
    public = await table.get(path, table.second)
    own = await table.get(ME, table.first)
    assert public == {key: own[key] for key in public}
    assert set(own) - set(public) == {"user_id", "kind", "known_since", "record_runs"}
    assert await table.get(path + "/", table.second) == public
    await table.rest.refused(401, "unauthorized", "GET", path)
    for unknown in ("guest:nobody", ERASED_ID, GHOST_ID, "x" * 129, "%00", "a%2Fb"):
        await table.rest.refused(404, "not_found", "GET", f"/api/players/{unknown}", token=table.second.token)


async def test_nobodys_id_is_told_to_anybody_else(table: Table) -> None:
    session_id = await table.play(right=3)
    paths = (
        ME, HISTORY, f"/api/pair-quiz/{session_id}/head-to-head", BOARD, f"{BOARD}?period=week",
        f"/api/players/{quote(table.second.user_id, safe='')}",
    )  # fmt: skip
    heard = [await table.first.event("rating_changed"), *[await table.get(path, table.first) for path in paths]]
    text = json.dumps(heard)
    assert "Second" in text
    assert table.second.user_id not in text
    assert table.second.user_id.removeprefix("guest:") not in text


async def list_players(table: Table, ratings: list[tuple[str, float, float]]) -> None:
    """Let players be rated over all, each with a rating and a deviation."""
    for name, rating, deviation in ratings:
        await table.database.fetch(
            "INSERT INTO pairquiz.players (id, kind, display_name, created_at) VALUES ($1, 'user', $1, 0)", name
        )
        await table.database.fetch(
            "INSERT INTO pairquiz.ratings VALUES ($1, 0, $2, $3, 0.06, 9, 0)", name, rating, deviation
        )


async def test_equals_have_the_same_rank_and_the_provisional_none(table: Table) -> None:
    await list_players(
        table,
        [("a", 1700, 60), ("b", 1650.4, 60), ("c", 1649.6, 60), ("d", 1640, 110), ("e", 1900, 111), ("f", 1640.2, 50)],
    )
    board = await table.get(BOARD)
    assert [(entry["rank"], entry["rating"]) for entry in board["entries"]] == [
        (1, 1700), (2, 1650), (2, 1650), (4, 1640), (4, 1640),
    ]  # fmt: skip
    assert board["players"] == 5
    assert board["entries"][0] == {"rank": 1, "display_name": "a", "matches": 9, "rating": 1700}
    assert (board["topic"], board["period"], board["you"]) == (None, "all", None)
    assert len((await table.get(f"{BOARD}?limit=2"))["entries"]) == 2


async def test_who_asks_sees_the_own_rank_and_the_neighbours(table: Table) -> None:
    await list_players(table, [(f"player {number}", 1600 + number, 50) for number in range(9)])
    assert (await table.get(BOARD, table.first))["you"] is None
    rated = "INSERT INTO pairquiz.ratings VALUES ($1, 0, $2, $3, 0.06, 9, 0)"
    await table.database.fetch(rated, table.first.user_id, 1604.3, 60)
    await table.database.fetch(rated, table.second.user_id, 1604.3, 200)
    you = (await table.get(f"{BOARD}?limit=1", table.first))["you"]
    assert (you["rank"], you["rating"], you["listed"], you["matches"]) == (5, 1604, True, 9)
    assert [entry["rating"] for entry in you["around"]] == sorted([entry["rating"] for entry in you["around"]])[::-1]
    assert [entry["rank"] for entry in you["around"]].count(5) == 2
    assert [entry["display_name"] for entry in you["around"] if entry.get("you")] == ["First"]
    assert len(you["around"]) == 5
    provisional = (await table.get(BOARD, table.second))["you"]
    assert (provisional["rank"], provisional["rating"], provisional["listed"]) == (5, 1604, False)
    assert [entry for entry in provisional["around"] if entry.get("you")] == []


@SLASH
@pytest.mark.parametrize("topic", ["no such topic", "x" * 81, "%00", "%20"])
async def test_a_list_of_an_unknown_topic_is_not_found(table: Table, topic: str, slash: str) -> None:
    error = await table.rest.refused(404, "not_found", "GET", f"/api/leaderboards/{quote(topic, safe='%')}{slash}")
    assert "topic" in error["message"]


async def test_a_list_is_found_by_any_spelling_of_its_topic(table: Table) -> None:
    for spelling in ("General", "general", " GENERAL "):
        assert (await table.get(f"/api/leaderboards/{quote(spelling)}/"))["topic"] == "General"
    assert (await table.get("/api/leaderboards/ALL"))["topic"] is None


@pytest.mark.parametrize("period", ["", "month", "Week"])
async def test_a_period_that_there_is_not_is_refused(table: Table, period: str) -> None:
    await table.rest.refused(400, "invalid_payload", "GET", f"{BOARD}?period={period}")


async def test_a_week_is_this_one(table: Table) -> None:
    week = await table.get(f"{BOARD}?period=week")
    now = table.first.welcome["server_time"]
    assert week["begins_at"] in (begins_at(week_of(now)), begins_at(week_of(now) + 1))
    await table.database.fetch(
        "INSERT INTO pairquiz.week_points VALUES ($1, 0, $2, 9, 3)", week_of(now) - 1, table.first.user_id
    )
    assert (await table.get(f"{BOARD}?period=week", table.first))["you"] is None


async def test_a_list_for_somebody_with_a_bad_token_is_refused(table: Table) -> None:
    await table.rest.refused(401, "unauthorized", "GET", BOARD, token="nonsense")
    await table.rest.refused(401, "unauthorized", "GET", HISTORY)


async def test_strangers_pay_by_their_address(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__COMMANDS_PER_S="0.001", PAIRQUIZ_LIMITS__COMMANDS_BURST="1")
    async with ClientSession() as session:
        rest = Rest(session, server.url)
        for _ in range(2):
            assert (await rest.call("GET", BOARD))[0] == 200
        await rest.refused(429, "rate_limited", "GET", BOARD)


async def test_guests_do_not_count_where_the_operator_says_so(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__RATED_GUESTS="false", JWT_SECRET=SECRET, PAIRQUIZ_AUTH__MODE="guest")
    token = sign_user_token(server.settings, "a user", lifetime_s=60)
    async with ClientSession() as session, connected(server.url) as guest, connected(server.url, token=token) as user:
        table = Table(server, Rest(session, server.url), guest, user)
        await table.play(right=3)
        profile = await table.get(ME, guest)
        assert (profile["rated"], profile["won"]) == (0, 1)


async def test_the_news_reaches_a_player_at_another_node(start_server: StartServer, tmp_path: Any) -> None:
    with valkey(tmp_path) as redis:
        await tell_at_two_nodes(start_server, redis)


async def tell_at_two_nodes(start_server: StartServer, redis: Valkey) -> None:
    here, there = await start_two(start_server, redis.url)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        first = await stack.enter_async_context(connected(here.url))
        second = await stack.enter_async_context(connected(there.url))
        session_id = await Table(here, Rest(session, here.url), first, second).play(right=3)
        for player in (first, second):
            assert (await player.event("rating_changed"))["session_id"] == session_id
