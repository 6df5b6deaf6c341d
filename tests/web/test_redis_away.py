"""Two servers whose Redis is away, deaf, or was never there: PostgreSQL tells a split pair what it tells nobody."""

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.web import lookout
from pairquiz_server.web.elsewhere import others, outbox, relay
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import StartServer, serving
from tests.web.duel import answering, names
from tests.web.rest import Rest
from tests.web.two_nodes import Pair, answer, logged, start_two
from tests.web.valkey import Valkey, Wire, admin, hears_itself, until


async def test_what_had_to_be_dropped_is_caught_up(nodes: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        with monkeypatch.context() as bound:
            bound.setattr(outbox, "WAITING_MAX", 0)
            assert (await second.ask("submit_answer", answering(started)))["ok"]
            state = await first.event("quiz_state")
        assert state["opponent"]["answered"] == 1
        await answer(first, second, started, 0)


async def test_while_redis_is_away_split_pairs_are_told_from_the_database_and_others_notice_nothing(
    start_server: StartServer, own_valkey: Valkey, players: AsyncExitStack, log: io.StringIO
) -> None:
    nodes = await start_two(start_server, own_valkey.url)
    near = [await players.enter_async_context(connected(nodes[0].url)) for _ in range(2)]
    first = await players.enter_async_context(connected(nodes[0].url))
    second = await players.enter_async_context(connected(nodes[1].url))
    together = await started_match(near[0], near[1], question_count=3)
    split = await started_match(first, second, question_count=3)
    left = await ready_match(first, second)
    for player in near:
        await player.settled()

    own_valkey.kill()
    await hears_itself(*nodes, wish=False)
    await answer(near[0], near[1], together, 0)
    for place in range(2):
        assert (await second.ask("submit_answer", answering(split, place)))["ok"]
    assert (await second.ask("leave_pair_quiz", {"session_id": left}))["ok"]
    heard: dict[str, dict[str, Any]] = {}
    while left not in heard or heard.get(split["session_id"], {"opponent": {}})["opponent"].get("answered") != 2:
        state = await first.event("quiz_state")
        heard[state["session_id"]] = state
    assert heard[left]["status"] not in ("waiting", "ready", "in_progress")

    own_valkey.start()
    await hears_itself(*nodes)
    await answer(near[1], near[0], together, 0)
    for player in (first, second):
        await player.settled()
    await answer(first, second, split, 0)
    assert (await second.ask("submit_answer", answering(split, 2)))["ok"]
    last = await first.events_until("answer_submitted")
    assert [payload["answered"] for name, payload in last if name == "answer_submitted"] == [3]
    # Who was at one node heard nothing but answers, and of each once.
    assert [names(await player.settled()) for player in near] == [[], []]
    # One line at the loss and one at the return, from each of the two.
    assert len(logged(log, "redis_lost")) == 2
    assert len(logged(log, "redis_connected")) == 4


async def told(player: Client, session_id: str, holds: Callable[[dict[str, Any]], bool]) -> bool:
    """Wait until a state of a match is told of which something holds."""
    while True:
        state = await player.event("quiz_state")
        if state["session_id"] == session_id and holds(state):
            return True


async def test_whoever_answers_right_after_an_opponent_who_cannot_be_heard_is_told_of_both(
    start_server: StartServer, heard: dict[Client, list[dict[str, Any]]]
) -> None:
    """The own answer is the newest change, and tells nothing of the one before."""
    nodes = await start_server(), await start_server()
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        ready = (await first.ask("create_pair_quiz", {"question_count": 5}))["session_id"]
        assert (await second.ask("join_pair_quiz", {"session_id": ready}))["ok"]
        assert (await second.ask("start_quiz", {"session_id": ready}))["ok"]
        started = await second.event("quiz_started")
        assert await told(first, ready, lambda state: state["status"] == "in_progress")
        for place in range(4):
            for player in (second, first):
                assert (await player.ask("submit_answer", answering(started, place)))["ok"]
        assert await told(first, ready, lambda state: state["opponent"]["answered"] == 4)
        assert await told(second, ready, lambda state: state["opponent"]["answered"] == 4)
        for player in (second, first):
            assert (await player.ask("submit_answer", answering(started, 4)))["ok"]
        assert await told(second, ready, lambda state: state["status"] == "completed")
    heard.clear()  # there were gaps, of which each was mended


async def test_what_was_missed_while_redis_was_away_is_kept_until_the_database_tells_it(
    start_server: StartServer,
    own_valkey: Valkey,
    heard: dict[Client, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookout, "LOOK_EVERY_S", 0.05)
    find_unheard, tries = Matches.find_unheard, Counter[Matches]()

    async def fail_for_now(matches: Matches, known: Any) -> Any:
        tries[matches] += 1
        raise StorageUnavailable("for now")

    nodes = await start_two(start_server, own_valkey.url)
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        monkeypatch.setattr(Matches, "find_unheard", fail_for_now)
        own_valkey.kill()
        await hears_itself(*nodes, wish=False)
        await until(lambda: len(tries) == len(nodes))  # each knows that it is not alone
        for player in (second, first):
            assert (await player.ask("submit_answer", answering(started)))["ok"]
        own_valkey.start()
        await hears_itself(*nodes)
        # Nothing is looked for any more but what was missed, and that again and again.
        tries.clear()
        await until(lambda: len(tries) == len(nodes) and min(tries.values()) > 3)
        monkeypatch.setattr(Matches, "find_unheard", find_unheard)
        assert await told(first, started["session_id"], lambda state: state["opponent"]["answered"] == 1)
    heard.clear()  # there was a gap, which was mended


async def test_pair_at_one_node_is_never_told_by_the_database_what_is_about_to_be_told(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Matches.save

    async def hear_of_it_late(matches: Matches, *batch: Any) -> frozenset[str]:
        stuck = await save(matches, *batch)
        await asyncio.sleep(0.05)  # committed, and seen by whoever looks
        return stuck

    monkeypatch.setattr(Matches, "save", hear_of_it_late)
    monkeypatch.setattr(lookout, "LOOK_EVERY_S", 0.0)
    node, _ = await start_server(), await start_server()
    async with connected(node.url) as first, connected(node.url) as second:
        started = await started_match(first, second, question_count=5)
        for place in range(5):
            for player in (first, second):
                assert (await player.ask("submit_answer", answering(started, place)))["ok"]
        told_of = [names(await player.events_until("quiz_results")) for player in (first, second)]
    assert all("quiz_state" not in events for events in told_of)


async def test_split_pair_goes_on_while_redis_stands_still(start_server: StartServer, own_valkey: Valkey) -> None:
    nodes = await start_two(start_server, own_valkey.url)
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        with own_valkey.standing_still():
            assert (await second.ask("submit_answer", answering(started)))["ok"]
            assert await told(first, started["session_id"], lambda state: state["opponent"]["answered"] == 1)
        await hears_itself(*nodes)
        await answer(first, second, started, 0)


async def test_listener_that_is_cut_off_comes_back_and_catches_its_players_up(
    nodes: Pair, shared_valkey: Valkey
) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        async with admin(shared_valkey.url) as client:
            await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert (await second.ask("submit_answer", answering(started)))["ok"]
        heard: dict[str, int] = {}

        async def caught_up() -> bool:
            for name, payload in await first.settled():
                told = payload.get("opponent") if name == "quiz_state" else payload
                heard[name] = (told or {}).get("answered", 0)
            return max(heard.values(), default=0) == 1

        # The listener may be back before the answer is: then that is told as ever, and there is nothing to catch up.
        await until(caught_up)


async def test_deaf_listener_subscribes_anew(
    start_server: StartServer, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BEAT_S", 0.1)
    monkeypatch.setattr(others, "SILENCE_S", 1.0)
    async with Wire().laid(int(own_valkey.url.rpartition(":")[2])) as wire:
        hearing = await start_server(REDIS_URL=own_valkey.url)
        deaf = await start_server(REDIS_URL=wire.url)
        await hears_itself(hearing, deaf)
        async with connected(deaf.url) as first, connected(hearing.url) as second:
            started = await started_match(first, second)
            wire.deaf = True
            assert (await second.ask("submit_answer", answering(started)))["ok"]
            # It may be told because the other node has fallen silent, or when it is heard again.
            while (await first.event("quiz_state"))["opponent"]["answered"] != 1:
                pass
            await until(lambda: wire.subscriptions >= 2)
            await answer(first, second, started, 0)


async def test_players_whose_node_was_deaf_hear_what_a_node_said_that_is_gone(
    database_url: str, start_server: StartServer, own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BEAT_S", 0.1)
    monkeypatch.setattr(others, "SILENCE_S", 1.0)
    async with Wire().laid(int(own_valkey.url.rpartition(":")[2])) as wire, AsyncExitStack() as other:
        gone = await other.enter_async_context(serving(database_url, {"REDIS_URL": own_valkey.url}))
        deaf = await start_server(REDIS_URL=wire.url)
        await hears_itself(gone, deaf)
        async with connected(deaf.url) as first:
            second = await other.enter_async_context(connected(gone.url))
            started = await started_match(first, second)
            wire.deaf = True
            assert (await second.ask("submit_answer", answering(started)))["ok"]
            await other.aclose()
            while (await first.event("quiz_state"))["opponent"]["answered"] != 1:
                pass


async def test_node_starts_without_redis_and_finds_it_later(
    start_server: StartServer, own_valkey: Valkey, log: io.StringIO
) -> None:
    own_valkey.kill()
    nodes = [await start_server(REDIS_URL=own_valkey.url) for _ in range(2)]
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second, ClientSession() as session:
        status, body = await Rest(session, nodes[0].url).call("GET", "/readyz")
        assert (status, body["checks"]["redis"], body["checks"]["database"]) == (200, "failed", "ok")
        created = await first.ask("create_pair_quiz")
        assert (await second.ask("join_pair_quiz", {"session_id": created["session_id"]}))["ok"]
        assert (await first.event("quiz_state"))["status"] == "ready"
        own_valkey.start()
        await hears_itself(*nodes)
        status, body = await Rest(session, nodes[0].url).call("GET", "/readyz")
        assert (status, body["checks"]["redis"]) == (200, "ok")


async def test_without_a_redis_who_was_found_by_another_node_is_told_all_the_same(start_server: StartServer) -> None:
    nodes = await start_server(), await start_server()
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        wishes = {"question_count": 3}
        assert (await first.ask("find_opponent", wishes))["seeking"]
        assert (await second.ask("find_opponent", wishes))["seeking"]
        told: dict[str, str] = {}
        async with asyncio.timeout(30):
            while len(told) < 2:
                for number, client in enumerate((first, second)):
                    for name, payload in await client.settled():
                        if name in ("opponent_found", "quiz_state"):
                            told.setdefault(str(number), payload["session_id"])
        assert len(set(told.values())) == 1
