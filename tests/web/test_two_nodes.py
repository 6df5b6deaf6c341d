"""Two servers on one database and one Redis: a pair that is split over them notices nothing."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from pairquiz_server.config import ConfigError
from pairquiz_server.protocol.admin import EndedMatch, EndMatch
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.web import lookout
from pairquiz_server.web.elsewhere import others, outbox, publication, relay
from pairquiz_server.web.sockets.connections import Connections
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server, StartServer, serving
from tests.web.duel import answering, names
from tests.web.operator import operator_by_socket
from tests.web.rest import JOIN, Rest
from tests.web.valkey import Valkey, Wire, admin, channel, hears_itself, publications, until, valkey

Pair = tuple[Server, Server]


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Redis to be killed."""
    with valkey(tmp_path, tcp=True) as server:
        yield server


async def start_two(start_server: StartServer, url: str) -> Pair:
    nodes = await start_server(REDIS_URL=url), await start_server(REDIS_URL=url)
    await hears_itself(*nodes)
    return nodes


@pytest.fixture
async def nodes(start_server: StartServer, shared_valkey: Valkey) -> Pair:
    return await start_two(start_server, shared_valkey.url)


@pytest.fixture
async def players() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def answer(player: Client, opponent: Client, started: dict[str, Any], place: int) -> None:
    """Answer a question; the opponent hears of it, whichever node it is at."""
    given = await player.ask("submit_answer", answering(started, place))
    assert given["ok"], given
    heard = await opponent.event("answer_submitted")
    assert (heard["player"], heard["question_id"]) == ("opponent", given["question_id"])


def logged(log: io.StringIO, *wanted: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] in wanted]


async def test_a_match_that_the_operator_ends_at_another_node_is_over_for_both(nodes: Pair, tmp_path: Path) -> None:
    async with (
        connected(nodes[0].url) as first,
        connected(nodes[0].url) as second,
        operator_by_socket(nodes[1], tmp_path) as line,
    ):
        session_id = (await started_match(first, second))["session_id"]
        payload = EndMatch(reason="a test of ours")
        ended = await line.ask("end_match", EndedMatch, parts={"session_id": session_id}, payload=payload)
        assert ended.status == "abandoned"
        for player in (first, second):
            assert (await player.event("session_expired"))["by_operator"]


async def test_pair_over_two_nodes_plays_a_duel_and_each_hears_everything_once(nodes: Pair) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second, question_count=5)
        for place in range(5):
            await answer(first, second, started, place)
            await answer(second, first, started, place)
        results = [await player.event("quiz_results") for player in (first, second)]
        assert results[0]["your_score"] == results[1]["opponent_score"]
        assert results[1]["your_score"] == results[0]["opponent_score"]
        assert [names(await player.settled()) for player in (first, second)] == [[], ["opponent_completed"]]


async def test_tabs_of_one_player_at_two_nodes_hear_the_same(nodes: Pair) -> None:
    async with (
        connected(nodes[0].url) as first,
        connected(nodes[1].url, token=first.token) as tab,
        connected(nodes[0].url) as second,
    ):
        created = await tab.ask("create_pair_quiz", {"question_count": 2})
        assert (await first.event("quiz_created"))["session_id"] == created["session_id"]
        await tab.event("quiz_created")
        await second.ask("join_pair_quiz", {"session_id": created["session_id"]})
        for client in (first, tab, second):
            await client.event("opponent_joined")
        await first.ask("start_quiz", {"session_id": created["session_id"]})
        for client in (first, tab):
            await client.event("quiz_started")
        started = await second.event("quiz_started")
        for player, others in ((first, (tab,)), (tab, (first,)), (second, (first, tab))):
            place = 1 if player is tab else 0
            given = await player.ask("submit_answer", answering(started, place))
            for other in others:
                heard = await other.event("answer_submitted")
                assert heard["version"] == given["version"]
                assert heard["player"] == ("opponent" if player is second else "you")
        await second.ask("submit_answer", answering(started, 1))
        results = [await client.event("quiz_results") for client in (first, tab)]
        assert results[0] == results[1]


async def test_player_joins_by_rest_at_one_node_and_the_creator_hears_at_the_other(nodes: Pair) -> None:
    async with (
        connected(nodes[0].url) as creator,
        connected(nodes[1].url) as joiner,
        ClientSession() as session,
    ):
        created = await creator.ask("create_pair_quiz")
        rest = Rest(session, nodes[1].url)
        status, _ = await rest.call("POST", JOIN, token=joiner.token, body={"session_id": created["session_id"]})
        assert status == 200
        assert (await creator.event("opponent_joined"))["session_id"] == created["session_id"]


async def test_nodes_publish_nothing_for_a_pair_at_one_of_them(nodes: Pair, shared_valkey: Valkey) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[0].url) as second, connected(nodes[1].url) as far:
        await started_match(far, first)  # by now the first node knows who is at the second
        async with publications(shared_valkey.url) as published:
            started = await started_match(first, second, question_count=2)
            await answer(first, second, started, 0)
        assert not [command for command in published if started["session_id"] in command]
        async with publications(shared_valkey.url) as published:
            split = await started_match(first, far, question_count=2)
        assert [command for command in published if split["session_id"] in command]


async def test_node_alone_publishes_nothing_but_its_beat(
    start_server: StartServer, shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BEAT_S", 60.0)
    monkeypatch.setattr(others, "SILENCE_S", 60.0)
    node = await start_server(REDIS_URL=shared_valkey.url)
    await hears_itself(node)
    async with connected(node.url) as first, connected(node.url) as second:
        await first.settled()
        async with publications(shared_valkey.url) as published:
            await started_match(first, second)
        assert published == []
        async with connected(node.url) as gone:
            started = await started_match(first, gone, question_count=15)
        places = iter(range(14))

        async def published_for_one_who_is_nowhere() -> bool:
            async with publications(shared_valkey.url) as published:
                assert (await first.ask("submit_answer", answering(started, next(places))))["ok"]
            return any(started["session_id"] in command for command in published)

        await until(published_for_one_who_is_nowhere)


async def test_nodes_publish_everything_while_somebody_hears_them_who_has_not_said_who_is_there(
    nodes: Pair, shared_valkey: Valkey
) -> None:
    async with (
        connected(nodes[0].url) as first,
        connected(nodes[0].url) as second,
        admin(shared_valkey.url) as client,
        client.pubsub() as stranger,
    ):
        await stranger.subscribe(await channel(client))
        await stranger.get_message(timeout=30)
        # That somebody came is published, and so the stranger is counted.
        async with connected(nodes[0].url), publications(shared_valkey.url) as published:
            await started_match(first, second)
            started = await started_match(first, second)
        assert [command for command in published if started["session_id"] in command]


async def test_node_that_fell_silent_is_believed_no_more(
    start_server: StartServer, shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BEAT_S", 0.1)
    monkeypatch.setattr(others, "SILENCE_S", 1.0)
    # It is looked for in match after match.
    unlimited = dict.fromkeys(("PAIRQUIZ_LIMITS__LIVE_MATCHES_PER_USER", "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE"), "0")
    node = await start_server(REDIS_URL=shared_valkey.url, PAIRQUIZ_LIMITS__COMMANDS_PER_S="0", **unlimited)
    await hears_itself(node)
    async with (
        connected(node.url) as first,
        connected(node.url) as second,
        admin(shared_valkey.url) as client,
    ):
        players = [first.user_id, second.user_id]
        claim = publication.Publication("another", 1, asks=False, players=players, came=[], went=[], told=[])
        await client.publish(await channel(client), msgspec.msgpack.encode(claim))
        await until(lambda: publishes(shared_valkey, first, second))
        await until(lambda: publishes(shared_valkey, first, second, wish=False))


async def publishes(server: Valkey, first: Client, second: Client, *, wish: bool = True) -> bool:
    """Tell whether a match of two players is published, or is not."""
    async with publications(server.url) as published:
        started = await started_match(first, second)
    return wish is any(started["session_id"] in command for command in published)


async def test_what_had_to_be_dropped_is_caught_up(nodes: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        with monkeypatch.context() as bound:
            bound.setattr(outbox, "WAITING_MAX", 0)
            assert (await second.ask("submit_answer", answering(started)))["ok"]
            state = await first.event("quiz_state")
        assert state["opponent"]["answered"] == 1
        await answer(first, second, started, 0)


async def test_batch_leaves_in_one_publication(nodes: Pair, shared_valkey: Valkey, log: io.StringIO) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second, question_count=15)
        before = len(logged(log, "batch_committed"))
        async with publications(shared_valkey.url) as published:
            for place in range(14):
                await first.emit("submit_answer", answering(started, place))
            for _ in range(14):
                await second.event("answer_submitted")
        batches = logged(log, "batch_committed")[before:]
        assert sum(batch["size"] for batch in batches) == 14
        assert max(batch["size"] for batch in batches) > 1
        assert len([command for command in published if started["session_id"] in command]) <= len(batches)


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


@pytest.mark.parametrize("noise", [b"", b"{}", b"\xff\xfe", b"\x97" + b"\xc0" * 7, b"\x90"], ids=repr)
async def test_noise_on_the_channel_hurts_nobody(nodes: Pair, shared_valkey: Valkey, noise: bytes) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        async with admin(shared_valkey.url) as client:
            assert await client.publish(await channel(client), noise) == 2
        started = await started_match(first, second)
        await answer(second, first, started, 0)
    await hears_itself(*nodes)


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


async def test_password_is_used_and_never_logged(
    start_server: StartServer, own_valkey: Valkey, log: io.StringIO
) -> None:
    async with admin(own_valkey.url) as client:
        await client.config_set("requirepass", "right-secret")
        address = own_valkey.url.removeprefix("redis://")
        wrong = await start_server(REDIS_URL=f"redis://:wrong-secret@{address}")
        right = await start_server(REDIS_URL=f"redis://:right-secret@{address}")
        await hears_itself(right)
        await until(lambda: bool(logged(log, "redis_lost")))
        assert not (await wrong.running.health.checks())["redis"]
    assert "-secret" not in log.getvalue()


async def test_server_without_redis_has_no_such_check(server: Server) -> None:
    assert "redis" not in await server.running.health.checks()


def test_options_of_redis_that_are_not_known_stop_the_start() -> None:
    with pytest.raises(ConfigError, match="REDIS_URL has options") as refused:
        relay.Relay("redis://:a-secret@cache?nonsense=1", "channel", Connections())
    assert "secret" not in str(refused.value)


async def test_two_who_look_for_somebody_at_two_nodes_find_each_other_and_all_their_tabs_hear(nodes: Pair) -> None:
    async with (
        connected(nodes[0].url) as first,
        connected(nodes[1].url, token=first.token) as tab,
        connected(nodes[1].url) as second,
    ):
        assert (await first.ask("find_opponent", {"question_count": 3}))["seeking"]
        assert (await second.ask("find_opponent", {"question_count": 3}))["seeking"]
        told, heard = await tab.event("opponent_found"), await second.event("opponent_found")
        assert told["session_id"] == heard["session_id"]
        # A node that finds its seeker gone before it hears of the match tells how that stands.
        before = names(await first.events_until("quiz_started"))
        assert {"opponent_found", "quiz_state"} & set(before)
        for client in (tab, second):
            await client.event("quiz_started")
        assert set(names(await second.settled())) <= {"opponent_search"}


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
