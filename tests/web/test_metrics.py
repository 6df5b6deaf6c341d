"""What the metrics count of play, of lines and of what the server stands on."""

import time

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.store.pool import Database
from tests.client import connected, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import answering
from tests.web.polling import polling
from tests.web.test_exposition import exposed, sample
from tests.web.test_outages import HOUR, age
from tests.web.valkey import Valkey, hears_itself, until


def value(server: Server, name: str, **labels: str) -> float | None:
    """Return a series as it is now; None where there is none."""
    return server.running.metrics.registry.get_sample_value(f"pairquiz_{name}", labels)


async def test_answers_are_counted_by_what_became_of_them(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=2)
        right = (await server.running.game.load(started["session_id"])).questions[0].correct
        wrong = (right + 1) % 4
        for player, chosen in ((first, right), (second, wrong)):
            assert (await player.ask("submit_answer", answering(started, 0, answer=chosen)))["ok"]
        again = await first.ask("submit_answer", answering(started, 0, answer=right))
        changed = await first.ask("submit_answer", answering(started, 0, answer=wrong))
        assert (again["duplicate"], changed["error"]["code"]) == (True, "already_answered")
        counted = {outcome: value(server, "answers_total", outcome=outcome) for outcome in ("right", "wrong")}
        assert counted == {"right": 1, "wrong": 1}
        assert value(server, "answers_total", outcome="repeated") == 1
        assert value(server, "answers_total", outcome="already_answered") == 1
        assert value(server, "refusals_total", code="already_answered") == 1
        assert value(server, "refusals_total", code="internal") == 0, "it has a rate from the first one on"
        assert value(server, "lag_credit_seconds_count") == 2
        assert (value(server, "command_seconds_count") or 0) >= 7, "created, joined, started, four answers"
        assert (value(server, "command_seconds_sum") or 0) > 0


async def test_who_goes_and_how_matches_end_is_counted(server: Server) -> None:
    async with connected(server.url) as first:
        async with connected(server.url) as second:
            started = await started_match(first, second)
            second.cut()
            await first.event("opponent_disconnected")
        async with connected(server.url, token=second.token) as second:
            await first.event("opponent_reconnected")
            resumed = await second.ask("resume_pair_quiz", {"session_id": started["session_id"]})
            assert resumed["ok"]
            assert (await second.ask("leave_pair_quiz", {"session_id": started["session_id"]}))["ok"]
            await first.event("quiz_results")
    assert value(server, "absences_total", cause=Cause.CONNECTION_LOST) == 1
    assert value(server, "match_events_total", event="PlayerReturned") == 1
    assert value(server, "commands_total", command="resume_pair_quiz") == 1
    assert value(server, "matches_ended_total", reason=EndReason.PLAYER_LEFT) == 1


async def test_sockets_are_counted_by_what_carries_them_and_queues_by_who_waits(server: Server) -> None:
    async with connected(server.url) as seeker, polling(server.url) as poller:
        await poller.next_packet("42")
        assert (await seeker.ask("find_opponent", {}))["ok"]
        assert value(server, "sockets", transport="websocket") == 1
        assert value(server, "sockets", transport="polling") == 1
        assert (value(server, "connections"), value(server, "players"), value(server, "seekers")) == (2, 2, 1)
        assert (value(server, "seekers_age_seconds") or -1) >= 0
        assert value(server, "connections_limit") == server.settings.limits.connections
        _, text = await exposed(server.url)
        assert "\npairquiz_database_seekers 1.0\n" in text
        await poller.post("1")  # else it is only missed when the server has pinged it in vain
    await until(lambda: value(server, "players") == 0)
    assert value(server, "seekers_age_seconds") == 0


async def test_without_a_limit_of_connections_none_is_shown(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__CONNECTIONS="0")
    assert value(server, "connections_limit") is None


async def test_what_stands_in_the_database_is_the_same_at_each_node(start_server: StartServer) -> None:
    nodes = await start_server(), await start_server()
    async with connected(nodes[0].url) as first, connected(nodes[0].url) as second:
        await started_match(first, second)
        assert (await first.ask("create_pair_quiz", {}))["ok"]
        for node in nodes:
            _, text = await exposed(node.url)
            for line in (
                'pairquiz_database_matches{status="waiting"} 1.0',
                'pairquiz_database_matches{status="ready"} 0.0',
                'pairquiz_database_matches{status="in_progress"} 1.0',
                "pairquiz_database_absent_seats 0.0",
                "pairquiz_database_seekers 0.0",
                "pairquiz_database_nodes 2.0",
                "pairquiz_database_rating_lag_seconds 0.0",
            ):
                assert f"\n{line}\n" in text, line
            assert (value(node, "database_connections_limit") or 0) >= 20
            assert (value(node, "database_connections", state="active") or 0) >= 1


async def test_readiness_is_shown_check_by_check_and_a_drain_with_its_steps(server: Server) -> None:
    checks = ("database", "migrations", "durability", "draining")
    _, text = await exposed(server.url)
    assert [f'pairquiz_ready{{check="{check}"}} 1.0' in text for check in checks] == [True] * 4
    assert 'check="redis"' not in text, "there is none"
    assert (value(server, "draining"), value(server, "redis_up")) == (0, None)
    assert 0 <= (value(server, "heartbeat_age_seconds") or -1) < 60
    server.running.drain.begin()
    _, text = await exposed(server.url)
    assert ('pairquiz_ready{check="draining"} 0.0' in text, value(server, "draining")) == (True, 1)
    await server.running.drain.close()
    assert value(server, "drain_steps_total", outcome="done") == 3


async def test_while_the_database_is_away_nothing_is_told_of_what_stands_in_it(server: Server) -> None:
    await server.running.database.close()
    status, text = await exposed(server.url)
    assert (status, "\npairquiz_database_" in text) == (200, False)
    assert "\n# TYPE pairquiz_database_nodes gauge\n" in text, "it is known that there is such a metric"
    assert 'pairquiz_ready{check="database"} 0.0' in text
    assert value(server, "query_errors_total", query="census.matches") == 1


async def test_an_outage_is_counted_and_how_long_it_was(server: Server, database: Database) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        await started_match(first, second)
        await age(database, game_at=HOUR)
        await first.event("session_delayed")
    assert value(server, "outages_total") == 1
    assert 0 <= (value(server, "outage_seconds_total") or 0) - HOUR / 1000 < 60


async def test_a_loop_that_is_held_up_shows(server: Server) -> None:
    await until(lambda: (value(server, "loop_lag_seconds_count") or 0) > 0)
    time.sleep(0.6)  # noqa: ASYNC251  (which is what must not happen)
    await until(lambda: (value(server, "loop_lag_max_seconds") or 0) >= 0.3)


async def test_redis_is_counted_and_its_absence(start_server: StartServer, own_valkey: Valkey) -> None:
    nodes = await start_server(REDIS_URL=own_valkey.url), await start_server(REDIS_URL=own_valkey.url)
    await hears_itself(*nodes)
    server = nodes[0]
    async with connected(server.url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        assert value(server, "redis_up") == 1
        assert (value(server, "redis_hearers"), value(server, "redis_losses_total")) == (2, 0)
        for name in ("publications", "published_bytes", "received", "received_bytes"):
            assert (value(server, f"redis_{name}_total") or 0) >= 1, name
        assert 0 <= (value(server, "redis_echo_age_seconds") or -1) < 60
        own_valkey.kill()
        await until(lambda: value(server, "redis_up") == 0)
        await until(lambda: (value(server, "redis_losses_total") or 0) >= 1)
        _, text = await exposed(server.url)
        assert 'pairquiz_ready{check="redis"} 0.0' in text
        assert (await first.ask("create_pair_quiz", {}))["ok"]
        caught_up = value(server, "catch_ups_total") or 0
        assert (await second.ask("submit_answer", answering(started)))["ok"]
        await until(lambda: (value(server, "catch_ups_total") or 0) > caught_up)
        own_valkey.start()
        await hears_itself(*nodes)
    assert await sample(server.url, "pairquiz_redis_up") == 1
