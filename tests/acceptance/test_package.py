"""Two play with our own client package, as npm packs it, and everything that may befall their lines befalls them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest

from pairquiz_server.store.pool import Database
from tests.acceptance.duelist import Duelist, duelling
from tests.acceptance.server import Server, serving
from tests.chaos.proxy import Proxy
from tests.nodejs import npm

QUICK = {"reconnectionDelay": 50, "reconnectionDelayMax": 200}
A_YEAR_MS = 365 * 24 * 3600 * 1000
SECRET = "a secret of the issuer, long enough for its algorithm"

Duel = Callable[..., AbstractAsyncContextManager[Duelist]]


@pytest.fixture
def duel(package_folder: Path, node: str, live_server: Server, tmp_path: Path) -> Duel:
    """Connect our client as the player `name`: `async with duel("ada") as ada`. The same name is the same tab."""

    def connect(name: str, url: str = "", **options: Any) -> AbstractAsyncContextManager[Duelist]:
        storage = tmp_path / f"{name}.json"
        return duelling(package_folder, node, url or live_server.url, storage, **{**QUICK, **options})

    return connect


class LineToServer(Proxy):
    """A line to a server that can be hurt."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def proxied(server: Server) -> AsyncIterator[LineToServer]:
    port = int(server.url.rpartition(":")[2])
    proxy = LineToServer(lambda: asyncio.open_connection("127.0.0.1", port))
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()


async def begun(first: Duelist, second: Duelist, **wishes: Any) -> Any:
    """Let two create, join and start a match; return it as the first one sees it."""
    created = await first.do("create", {"question_count": 3, **wishes})
    await first.match("waiting", lambda match: match["join_code"] == created["join_code"])
    assert (await second.do("join", {"join_code": created["join_code"]}))["ok"]
    for player in (first, second):
        await player.match("ready")
    assert (await second.do("start"))["ok"]
    await second.match("in_progress")
    return await first.match("in_progress")


def is_open(index: int, match: Any) -> bool:
    """Tell whether a round is open."""
    return match["round"] is not None and match["round"]["index"] == index and match["round"]["closes_at"] is not None


async def answer_rest(player: Duelist, option: int = 0) -> None:
    match = player.snapshot["match"]
    for question in match["questions"]:
        if str(question["id"]) not in match["your_answers"]:
            assert (await player.do("answer", question["id"], option))["ok"]


async def answer_rows(database: Database, session_id: str) -> int:
    (row,) = await database.fetch("SELECT count(*) FROM pairquiz.answers WHERE match_id = $1", UUID(session_id))
    return int(row["count"])


@pytest.mark.parametrize("transports", [["websocket", "polling"], ["polling"]], ids=["websocket", "polling"])
async def test_two_play_and_know_the_same(duel: Duel, transports: list[str]) -> None:
    async with duel("ada", transports=transports) as ada, duel("ben", transports=transports) as ben:
        assert (await ada.do("setProfile", {"display_name": "Ada"}))["display_name"] == "Ada"
        await begun(ada, ben)
        await answer_rest(ada)
        seen = await ben.match("in_progress", lambda match: match["opponent"]["completed"])
        assert (seen["opponent"]["display_name"], seen["opponent"]["answered"]) == ("Ada", 3)
        await answer_rest(ben, 1)
        own = await ada.match("completed", lambda match: match["rematch"])
        other = await ben.match("completed", lambda match: match["rematch"])
        assert own["results"]["your_score"] == other["results"]["opponent_score"] == own["your_score"]
        assert len(own["your_answers"]) == 3
        assert all(answer["receipt"] for answer in own["your_answers"].values())
        assert not own["missed"]
        assert not own["pending"]
        assert ada.snapshot["problem"] is None
        assert ada.snapshot["sessions"] == []


async def test_two_who_look_for_somebody_play_in_rounds_and_again(duel: Duel) -> None:
    wishes = {"question_count": 3, "pace": "rounds", "time_limit": 30}
    async with duel("ada") as ada, duel("ben") as ben:
        for player in (ada, ben):
            assert (await player.do("find", wishes))["seeking"]
        for index in range(3):
            for player in (ada, ben):
                match = await player.match("in_progress", partial(is_open, index))
                assert (await player.do("answer", match["questions"][index]["id"], 0))["ok"]
        for player in (ada, ben):
            over = await player.match("completed", lambda match: match["rematch"])
            assert len(over["closed_rounds"]) == 3
        first = ada.snapshot["match"]["session_id"]
        assert (await ada.do("requestRematch"))["waiting"]
        await ben.match("completed", lambda match: match["rematch"]["opponent"])
        assert not (await ben.do("requestRematch"))["waiting"]
        for player in (ada, ben):
            again = await player.until(lambda now: now["match"]["previous_session_id"] == first)
            assert again["match"]["status"] in ("ready", "in_progress")


async def test_a_reload_goes_on_at_every_step(duel: Duel) -> None:
    async with duel("ben") as ben:
        async with duel("ada") as ada:
            created = await ada.do("create", {"question_count": 3})
            code = (await ada.match("waiting"))["join_code"]
            user_id = ada.snapshot["player"]["user_id"]
        async with duel("ada") as ada:
            assert (await ada.match("waiting"))["join_code"] == code
            await ben.do("visit", created["session_id"])
            await ada.match("ready")
        async with duel("ada") as ada:
            await ada.match("ready")
            await ada.do("start")
            match = await ada.match("in_progress")
            await ada.do("answer", match["questions"][0]["id"], 0)
        async with duel("ada") as ada:
            resumed = await ada.match("in_progress", lambda match: len(match["your_answers"]) == 1)
            assert resumed["questions"] == match["questions"]
            await answer_rest(ada)
            await ben.match("in_progress", lambda match: match["opponent"]["completed"])
            await answer_rest(ben)
            await ada.match("completed")
        async with duel("ada") as ada:
            over = await ada.match("completed")
            assert over["results"]["session_id"] == created["session_id"]
            assert ada.snapshot["player"]["user_id"] == user_id
            await ada.do("dismiss")
        async with duel("ada") as ada:
            await ada.until(lambda now: now["connection"]["status"] == "online")
            assert (ada.snapshot["match"], ada.snapshot["opening"]) == (None, None)


async def test_a_reload_looks_on_for_somebody(duel: Duel) -> None:
    async with duel("ada") as ada:
        await ada.do("find", {"question_count": 3})
    async with duel("ada") as ada, duel("ben") as ben:
        assert ada.snapshot["search"]["wishes"] == {"question_count": 3}
        await ben.do("find", {"question_count": 3})
        for player in (ada, ben):
            await player.match("in_progress")


async def test_an_answer_whose_acknowledgement_was_lost_arrives_once(
    duel: Duel, live_server: Server, database: Database
) -> None:
    async with proxied(live_server) as proxy, duel("ada", proxy.url) as ada, duel("ben") as ben:
        match = await begun(ada, ben)
        for link in proxy.links:
            link.deaf = True
        await ada.say("answer", match["questions"][0]["id"], 0)
        await ben.match("in_progress", lambda seen: seen["opponent"]["answered"] == 1)  # it has arrived
        for link in list(proxy.links):
            link.cut()
        locked = await ada.outcome()
        assert (locked["ok"], locked["duplicate"]) == (True, True)
        await answer_rest(ada)
        assert await answer_rows(database, match["session_id"]) == 3
        assert ben.snapshot["match"]["opponent"]["answered"] <= 3


async def test_answers_that_are_given_without_a_line_arrive_once(
    duel: Duel, live_server: Server, database: Database
) -> None:
    async with proxied(live_server) as proxy, duel("ada", proxy.url) as ada, duel("ben") as ben:
        match = await begun(ada, ben)
        proxy.refusing = True
        for link in list(proxy.links):
            link.cut()
        await ada.until(lambda now: now["connection"]["status"] == "offline" and now["connection"]["failures"] > 1)
        for question in match["questions"]:
            await ada.say("answer", question["id"], question["options"][0])
        await ada.until(lambda now: len(now["match"]["pending"]) == 3)
        await ben.match("in_progress", lambda seen: not seen["opponent"]["connected"])
        proxy.refusing = False
        outcomes = [await ada.outcome() for _ in match["questions"]]
        assert [outcome["ok"] for outcome in outcomes] == [True] * 3
        known = await ada.match("in_progress", lambda seen: seen["you_completed"] and not seen["missed"])
        assert (known["pending"], len(known["your_answers"])) == ({}, 3)
        await ben.match("in_progress", lambda seen: seen["opponent"]["answered"] == 3)
        assert await answer_rows(database, match["session_id"]) == 3


@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["killed", "stopped"])
async def test_a_match_goes_on_in_a_new_server(duel: Duel, live_server: Server, end: Callable[[Server], Any]) -> None:
    async with duel("ada") as ada, duel("ben") as ben:
        await begun(ada, ben)
        await end(live_server)
        for player in (ada, ben):
            await player.until(lambda now: now["connection"]["status"] == "offline")
            await player.say("answer", player.snapshot["match"]["questions"][0]["id"], 0)
        await live_server.start()
        for player in (ada, ben):
            assert (await player.outcome())["ok"]
            await player.match("in_progress", lambda match: not match["missed"] and len(match["your_answers"]) == 1)
            await answer_rest(player)
        for player in (ada, ben):
            over = await player.match("completed")
            assert (over["your_score"], over["opponent"]["answered"]) == (over["results"]["your_score"], 3)


async def test_it_knows_what_the_servers_clock_shows(duel: Duel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK_IS_OFF_BY_MS", str(A_YEAR_MS))
    async with duel("ada") as ada, duel("ben") as ben:
        started = (await begun(ada, ben))["started_at"]
        for player in (ada, ben):
            assert abs(await player.do("now") - started) < A_YEAR_MS / 2


async def test_it_asks_over_http_as_the_same_player(duel: Duel) -> None:
    async with duel("ada") as ada:
        profile = await ada.do("api", "profile")
        assert (profile["ok"], profile["user_id"]) == (True, ada.snapshot["player"]["user_id"])
        topics = await ada.do("api", "topics")
        assert "General" in [topic["name"] for topic in topics["topics"]]
        missing = await ada.do("api", "leaderboard", "no such topic")
        assert (missing["ok"], missing["error"]["code"]) == (False, "not_found")


async def test_a_refusal_is_told_and_throws_nothing(duel: Duel) -> None:
    async with duel("ada") as ada:
        refused = await ada.do("join", {"join_code": "00000000"})
        assert (refused["ok"], refused["error"]["code"]) == (False, "not_found")
        assert ada.snapshot["problem"]["command"] == "join_pair_quiz"
        assert (await ada.do("start"))["error"]["code"] == "wrong_state"


async def test_a_token_that_ends_is_followed_by_the_next_one_and_the_same_one_stays_away(
    package_folder: Path, node: str, database_url: str, tmp_path: Path
) -> None:
    def token(lifetime_s: int) -> str:
        return jwt.encode({"sub": "ada", "aud": "authenticated", "exp": int(time.time()) + lifetime_s}, SECRET)

    async with (
        serving(database_url, tmp_path / "server.log", JWT_SECRET=SECRET) as server,
        duelling(package_folder, node, server.url, tmp_path / "ada.json", token=token(3), **QUICK) as ada,
    ):
        await ada.until(lambda now: now["connection"]["status"] == "expired")
        await ada.do("connect")  # with the same token: it is refused by now
        refused = await ada.until(lambda now: now["connection"]["status"] == "refused")
        assert refused["connection"]["code"] == "unauthorized"
        await ada.do("say_token", token(3600))
        await ada.do("connect")
        online = await ada.until(lambda now: now["connection"]["status"] == "online")
        assert online["player"]["user_id"] == "ada"


async def test_a_guests_token_that_is_worth_nothing_makes_a_new_guest(duel: Duel, tmp_path: Path) -> None:
    (tmp_path / "ada.json").write_text('{"pairquiz.token": "from another database"}')
    async with duel("ada") as ada:
        assert ada.snapshot["player"]["guest"]


def test_its_parts_hold_alone(node: str, frontend_folder: Path) -> None:
    npm(node, frontend_folder / "client", "test")


def test_it_has_what_others_need_and_no_more(package_folder: Path) -> None:
    package = package_folder / "node_modules" / "@pairquiz" / "client"
    exports = json.loads((package / "package.json").read_text())["exports"]
    for way in exports.values():
        for place in way.values():
            assert (package / place).is_file(), place
    assert {path.name for path in package.iterdir()} == {"README.md", "dist", "package.json", "src"}
    core = [path.read_text() for path in (package / "dist").glob("*.js") if path.name != "react.js"]
    assert not any("react" in text for text in core)
