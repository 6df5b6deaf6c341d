"""Matches that are over become results and ratings: each once, by one node at a time, however late it was committed."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pairquiz_server.engine import rater as rater_module
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.engine.rater import Rated, Rater
from pairquiz_server.rules.fairness import SERIES_MAX, Worth
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import ERASED_ID, GHOST_ID, GHOST_NAME, Player, PlayerKind
from pairquiz_server.rules.rating import PERIOD_MS, Rating, Result, rate
from pairquiz_server.rules.terms import Ghost, Origin
from pairquiz_server.rules.weeks import week_of
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.pool import Database
from pairquiz_server.store.ratings import RatingRows
from pairquiz_server.store.results import Results
from tests.engine.stage import ALICE, BOB, CAROL, NOON, Node

WON = rate(Rating(), [Result(Rating(), 1.0)], 0)
LOST = rate(Rating(), [Result(Rating(), 0.0)], 0)


class Telling(Rater):
    """A rater that keeps what it has told."""

    def __init__(self, node: Node, *, name: UUID | None = None, worth: Worth | None = None) -> None:
        self.heard: list[Rated] = []
        rows = RatingRows(node.database)
        super().__init__(rows, node.clock, name or uuid4(), worth or Worth(), self.hear)  # type: ignore[arg-type]

    def hear(self, rated: Sequence[Rated]) -> None:
        self.heard += rated


@pytest.fixture
def rater(node: Node) -> Telling:
    return Telling(node)


async def finished(node: Node, *, winner: int | None = 0, **changed: Any) -> Match:
    """A match for which two were brought together, and that one of them has won."""
    match = await node.paired(**changed)
    one, two = (seat.player for seat in match.seats)
    match = (await node.play(node.game.start, one, match_id=match.id)).match
    if winner is not None:
        question = match.questions[0]
        answer = {"match_id": match.id, "question_id": question.id, "answer": question.correct}
        await node.play(node.game.submit_answer, (one, two)[winner], **answer)
    for player in (one, two):
        if match.ghost is None or player is one:
            await node.play(node.game.complete, player, match_id=match.id)
    if match.ghost is not None:
        await node.play(node.game.complete, two, match_id=match.id)
    return match


async def ratings(database: Database) -> dict[str, list[float]]:
    """The ratings of each player: over all, then by topic."""
    rows = await database.fetch("SELECT player_id, rating FROM pairquiz.ratings ORDER BY player_id, topic_id")
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["player_id"], []).append(row["rating"])
    return found


async def rows(database: Database, table: str) -> list[asyncpg.Record]:
    return await database.fetch(f"SELECT * FROM pairquiz.{table}")


async def test_a_fair_match_rates_both_in_its_topic_and_over_all(node: Node, rater: Telling) -> None:
    match = await finished(node)
    assert await rater.work() == 1
    assert await ratings(node.database) == {"alice": [WON.rating] * 2, "bob": [LOST.rating] * 2}
    assert [(r.player_id, r.match_id, r.topic, r.before, r.after, r.overall_after) for r in rater.heard] == [
        ("alice", match.id, "General", Rating(), WON, WON),
        ("bob", match.id, "General", Rating(), LOST, LOST),
    ]
    results = {row["player_id"]: row for row in await rows(node.database, "results")}
    assert [(r["outcome"], r["opponent_id"], r["weight"]) for r in results.values()] == [
        ("won", "bob", 1.0),
        ("lost", "alice", 1.0),
    ]
    assert results["alice"]["rating_after"] == WON.rating
    assert results["bob"]["overall_deviation"] == LOST.deviation


async def test_a_match_counts_once_however_often_is_looked(node: Node, rater: Telling) -> None:
    await finished(node)
    await rater.work()
    before = await ratings(node.database)
    for _ in range(3):
        assert await rater.work() == 0
        assert await Telling(node, name=rater._node).work() == 0
    assert await ratings(node.database) == before
    assert len(rater.heard) == 2


async def test_what_is_not_fair_is_remembered_and_rates_nobody(node: Node, rater: Telling) -> None:
    await finished(node, origin=Origin.INVITATION)
    await finished(node, winner=None)
    assert await rater.work() == 2
    assert await ratings(node.database) == {}
    assert rater.heard == []
    assert [row["weight"] for row in await rows(node.database, "results")] == [0.0] * 4
    assert await rows(node.database, "week_points") == []


async def test_a_match_that_was_committed_late_is_not_missed(node: Node, rater: Telling) -> None:
    await finished(node)
    late = await finished(node)
    hidden = "UPDATE pairquiz.matches SET status = 'in_progress', ended_at = NULL, end_reason = NULL WHERE id = $1"
    await node.database.fetch(hidden, late.id)
    assert await rater.work() == 1
    committed = (
        "UPDATE pairquiz.matches SET status = 'completed', end_reason = 'all_answered', ended_at = $2 WHERE id = $1"
    )
    await node.database.fetch(committed, late.id, NOON - 9_999)
    assert await rater.work() == 1
    assert len(rater.heard) == 4


async def test_a_match_that_was_committed_very_late_is_found_by_the_long_look(node: Node, rater: Telling) -> None:
    very_late = await finished(node)
    await node.database.fetch(
        "UPDATE pairquiz.matches SET ended_at = $2 WHERE id = $1", very_late.id, NOON - rater_module.FAR_BACK_MS + 1
    )
    await node.database.fetch("UPDATE pairquiz.rating_progress SET rated_until = $1", NOON)
    rater._far_at = asyncio.get_running_loop().time()
    assert await rater.work() == 0
    rater._far_at = float("-inf")
    assert await rater.work() == 1


async def test_a_backlog_is_rated_in_the_order_of_its_ends(
    node: Node, rater: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rater_module, "BATCH", 2)
    matches = [await finished(node, winner=number % 2) for number in range(5)]
    for number, match in enumerate(matches):
        await node.database.fetch("UPDATE pairquiz.matches SET ended_at = $2 WHERE id = $1", match.id, NOON - number)
    assert await rater.work() == 5
    assert [r.match_id for r in rater.heard[::2]] == [match.id for match in reversed(matches)]
    assert {row["matches"] for row in await rows(node.database, "ratings")} == {5}


async def test_time_without_a_match_makes_less_sure(node: Node, rater: Telling) -> None:
    await finished(node)
    await rater.work()
    node.clock.at += 10 * PERIOD_MS
    await finished(node)
    await rater.work()
    expected = rate(WON, [Result(LOST.aged(10 * PERIOD_MS), 1.0)], 10)
    assert (await ratings(node.database))["alice"] == [expected.rating] * 2


async def test_two_nodes_rate_each_match_once(node: Node, other_node: Node) -> None:
    for _ in range(3):
        await finished(node)
    raters = [Telling(node), Telling(other_node)]
    done = await asyncio.gather(*(rater.work() for rater in raters))
    assert sorted(done) == [0, 3]
    assert {row["matches"] for row in await rows(node.database, "ratings")} == {3}


async def test_another_node_goes_on_where_one_has_died(node: Node, other_node: Node, rater: Telling) -> None:
    await finished(node)
    await rater.work()
    await finished(node)
    heir = Telling(other_node)
    assert await heir.work() == 0
    await node.database.fetch("UPDATE pairquiz.rating_progress SET held_until = clock_timestamp()")
    assert await heir.work() == 1
    assert await rater.work() == 0


async def test_who_was_frozen_in_a_batch_writes_nothing_of_it(node: Node, other_node: Node) -> None:
    await finished(node)
    heir = Telling(other_node)

    class Frozen(RatingRows):
        async def write(self, *arguments: Any, **named: Any) -> bool:
            await node.database.fetch("UPDATE pairquiz.rating_progress SET held_until = clock_timestamp()")
            assert await heir.work() == 1
            return await super().write(*arguments, **named)

    frozen = Telling(node)
    frozen._rows = Frozen(node.database)
    assert await frozen.work() == 0
    assert frozen.heard == []
    assert {row["matches"] for row in await rows(node.database, "ratings")} == {1}


async def test_a_series_counts_up_to_its_fifth_match(node: Node, rater: Telling) -> None:
    previous = await finished(node)
    for _ in range(SERIES_MAX):
        previous = await finished(node, origin=Origin.REMATCH, previous_id=previous.id)
    friends = await finished(node, origin=Origin.INVITATION)
    await finished(node, origin=Origin.REMATCH, previous_id=friends.id)
    assert await rater.work() == SERIES_MAX + 3
    assert {row["matches"] for row in await rows(node.database, "ratings")} == {SERIES_MAX}


async def test_a_recorded_run_counts_half_for_who_plays_it_and_once(node: Node, rater: Telling) -> None:
    recorded = await finished(node)
    await rater.work()
    ghost: dict[str, Any] = {"origin": Origin.GHOST, "players": (CAROL, ALICE), "ghost": Ghost(recorded.id, 0)}
    await finished(node, **ghost)
    await finished(node, **ghost)
    await rater.work()
    await finished(node, **ghost)
    await rater.work()
    expected = rate(Rating(), [Result(Rating(WON.rating, WON.deviation), 1.0, 0.5)], 0)
    assert await ratings(node.database) == {
        "alice": [WON.rating] * 2,
        "bob": [LOST.rating] * 2,
        "carol": [expected.rating] * 2,
    }
    of_carol = [row for row in await rows(node.database, "results") if row["player_id"] == "carol"]
    assert [(row["weight"], row["opponent_id"], str(row["ghost_match_id"])) for row in of_carol] == [
        (0.5, None, recorded.id),
        (0.0, None, recorded.id),
        (0.0, None, recorded.id),
    ]


async def test_a_run_that_was_not_rated_is_as_strong_as_its_player_is_now(node: Node, rater: Telling) -> None:
    recorded = await finished(node, origin=Origin.INVITATION)
    await finished(node)
    await rater.work()
    stand_in = Player(GHOST_ID, PlayerKind.GHOST, GHOST_NAME)
    await finished(node, origin=Origin.GHOST, players=(CAROL, stand_in), ghost=Ghost(recorded.id, 0))
    await rater.work()
    expected = rate(Rating(), [Result(WON, 1.0, 0.5)], 0)
    rated = await ratings(node.database)
    assert rated["carol"] == [expected.rating] * 2
    assert set(rated) == {"alice", "bob", "carol"}
    (past,) = await Results(node.database).page("carol", 1 << 62, recorded.id, 2)
    assert (past.opponent_name, past.ghost, past.weight) == (ALICE.display_name, True, 0.5)


async def test_who_has_played_against_a_run_is_not_rated_by_its_ghost(node: Node, rater: Telling) -> None:
    recorded = await finished(node)
    await rater.work()
    await finished(node, origin=Origin.CHALLENGE, players=(BOB, ALICE), ghost=Ghost(recorded.id, 0))
    await rater.work()
    assert (await ratings(node.database))["bob"] == [LOST.rating] * 2


async def test_who_knows_the_questions_from_another_run_is_not_rated(node: Node, rater: Telling) -> None:
    recorded = await finished(node)
    back = await finished(node, origin=Origin.CHALLENGE, players=(CAROL, ALICE), ghost=Ghost(recorded.id, 0))
    await rater.work()
    before = await ratings(node.database)
    await finished(node, origin=Origin.CHALLENGE, players=(BOB, CAROL), ghost=Ghost(back.id, 0))
    await rater.work()
    assert await ratings(node.database) == before


async def test_a_run_that_is_rated_in_the_same_batch_counts_as_if_it_had_been_before(
    node: Node, rater: Telling
) -> None:
    recorded = await finished(node)
    for player in (BOB, CAROL):
        node.clock.at += 1000  # they are rated in the order in which they ended
        await finished(node, origin=Origin.CHALLENGE, players=(player, ALICE), ghost=Ghost(recorded.id, 0))
    assert await rater.work() == 3
    expected = rate(Rating(), [Result(Rating(WON.rating, WON.deviation), 1.0, 0.5)], 0)
    assert await ratings(node.database) == {
        "alice": [WON.rating] * 2,
        "bob": [LOST.rating] * 2,
        "carol": [expected.rating] * 2,
    }


async def test_the_league_gives_three_points_a_win_and_one_a_draw(node: Node, rater: Telling) -> None:
    match = await finished(node)
    await finished(node, winner=1)
    await rater.work()
    await finished(node)
    await rater.work()
    league = {(row["player_id"], row["topic_id"]): row for row in await rows(node.database, "week_points")}
    assert set(league) == {(name, topic) for name in ("alice", "bob") for topic in (0, match.topic_id)}
    assert {row["week"] for row in league.values()} == {week_of(NOON)}
    assert (league["alice", 0]["points"], league["bob", match.topic_id]["points"]) == (6, 3)
    assert {row["matches"] for row in league.values()} == {3}


async def test_nobody_is_told_of_what_is_long_past(node: Node, rater: Telling) -> None:
    await finished(node)
    node.clock.at += rater_module.NEWS_MS + 1
    assert await rater.work() == 1
    assert rater.heard == []


async def test_nothing_is_written_of_somebody_who_is_to_be_erased(node: Node, rater: Telling) -> None:
    await finished(node)
    await Erasures(node.database).wish(BOB.id)
    assert await rater.work() == 1
    assert set(await ratings(node.database)) == {"alice"}
    assert [(row["player_id"], row["opponent_id"]) for row in await rows(node.database, "results")] == [
        ("alice", ERASED_ID)
    ]
    assert await rater.work() == 0


async def test_an_erased_player_is_in_no_rating_and_no_list(node: Node, rater: Telling) -> None:
    await finished(node)
    await rater.work()
    await node.database.fetch("UPDATE pairquiz.ratings SET deviation = 50")
    counted = (
        "SELECT week = 0 AS rating, sum(players)::integer AS players FROM pairquiz.rank_counts GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in await node.database.fetch(counted)] == [(False, 4), (True, 4)]
    await Erasures(node.database).wish(BOB.id)
    bans = Bans(node.database, b"a secret of the bans")
    assert await Eraser(Erasures(node.database), bans, settle_s=0).work() == []
    for table in ("ratings", "results", "week_points"):
        assert {row["player_id"] for row in await rows(node.database, table)} == {"alice"}, table
    assert [row["opponent_id"] for row in await rows(node.database, "results")] == [ERASED_ID]
    assert [tuple(row) for row in await node.database.fetch(counted)] == [(False, 2), (True, 2)]
    assert await rater.work() == 0


async def test_results_go_with_their_match(node: Node, rater: Telling) -> None:
    await finished(node)
    await rater.work()
    await node.database.fetch("DELETE FROM pairquiz.matches")
    assert await rows(node.database, "results") == []
    assert len(await ratings(node.database)) == 2
