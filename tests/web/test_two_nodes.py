"""Two servers on one database and one Redis: a pair that is split over them notices nothing."""

import io
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession

from pairquiz_server.config import ConfigError
from pairquiz_server.protocol.admin import EndedMatch, EndMatch
from pairquiz_server.web.elsewhere import others, publication, relay
from pairquiz_server.web.sockets.connections import Connections
from tests.client import Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import answering, names
from tests.web.operator import operator_by_socket
from tests.web.rest import JOIN, Rest
from tests.web.two_nodes import Pair, answer, logged
from tests.web.valkey import Valkey, admin, channel, hears_itself, publications, until


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


@pytest.mark.parametrize("noise", [b"", b"{}", b"\xff\xfe", b"\x97" + b"\xc0" * 7, b"\x90"], ids=repr)
async def test_noise_on_the_channel_hurts_nobody(nodes: Pair, shared_valkey: Valkey, noise: bytes) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        async with admin(shared_valkey.url) as client:
            assert await client.publish(await channel(client), noise) == 2
        started = await started_match(first, second)
        await answer(second, first, started, 0)
    await hears_itself(*nodes)


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
