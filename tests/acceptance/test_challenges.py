"""Players who are never online at once play against each other by a link, each with the official client."""

from pathlib import Path
from typing import Any
from uuid import UUID

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Play
from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving
from tests.acceptance.test_duel import answer_all
from tests.web.valkey import valkey

OPTIONS: dict[str, Any] = {"transports": ["websocket"], "keeps_token": True, "reconnectionDelay": 50}


async def slowed_down(database: Database, made: dict[str, Any]) -> None:
    """Let a run's answers be 400 milliseconds apart: a person takes longer than a test."""
    await database.fetch(
        "UPDATE pairquiz.answers AS a SET judged_at = m.started_at + 400 * a.ordinal"
        " FROM pairquiz.matches AS m WHERE m.id = a.match_id AND m.id = $1",
        UUID(made["session_id"]),
    )


async def challenge(play: Play) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two play; the first, who has left a question out, makes a challenge of it, and both go. With the results."""
    async with play(**OPTIONS) as first, play(**OPTIONS) as second:
        await first.ask("set_profile", {"display_name": "Ada"})
        created = await first.ask("create_pair_quiz", {"question_count": 3})
        session = {"session_id": created["session_id"]}
        await second.ask("join_pair_quiz", session)
        await second.ask("start_quiz", session)
        started = await first.event("quiz_started")
        await answer_all(first, {**started, "questions": started["questions"][:2]}, 0)
        await first.ask("quiz_completed", session)
        await second.ask("quiz_completed", session)
        results = await first.event("quiz_results")
        return await first.ask("create_challenge", session), results


async def accepted(player: Player, made: dict[str, Any]) -> dict[str, Any]:
    """Accept a challenge, and return what has started by itself."""
    joined = await player.ask("accept_challenge", {"challenge_code": made["challenge_code"]})
    assert joined["opponent"] == {"display_name": "Ada", "connected": True, "kind": "ghost"}
    started: dict[str, Any] = await player.event("quiz_started")
    assert (started["session_id"], started["ghost"]) == (joined["session_id"], True)
    return started


async def answer_rightly(player: Player, started: dict[str, Any], results: dict[str, Any]) -> None:
    for question in results["questions"]:
        payload = {"session_id": started["session_id"], "question_id": question["id"]}
        assert (await player.ask("submit_answer", payload | {"answer": question["correct_option"]}))["correct"]


async def test_a_stranger_beats_a_challenge_whose_maker_has_gone(play: Play) -> None:
    made, results = await challenge(play)
    async with play(**OPTIONS) as stranger:
        started = await accepted(stranger, made)
        assert [one["id"] for one in started["questions"]] == [one["id"] for one in results["questions"]]
        await answer_rightly(stranger, started, results)
        over = await stranger.event("quiz_results")
        assert (over["opponent"], over["ghost"]) == ({"display_name": "Ada", "kind": "ghost"}, True)
        assert (over["opponent_score"], over["outcome"]) == (made["score"], "won")
        assert "opponent_disconnected" not in stranger.names


async def test_a_ghost_goes_on_in_a_new_server(play: Play, live_server: Server, database: Database) -> None:
    made, results = await challenge(play)
    await slowed_down(database, made)
    async with play(**OPTIONS) as stranger:
        await stranger.event("welcome")
        started = await accepted(stranger, made)
        first = await stranger.event("answer_submitted")
        assert (first["player"], first["answered"], first["ghost"]) == ("opponent", 1, True)
        await live_server.kill()
        await stranger.event("disconnect")
        await live_server.start()
        await stranger.event("connect")
        await stranger.event("welcome")
        await answer_rightly(stranger, started, results)
        over = await stranger.event("quiz_results")
        assert [one["opponent_answer"] for one in over["questions"]] == [0, 0, None]


async def test_a_challenge_of_one_node_is_played_at_another_that_dies(
    client_folder: Path, node: str, database_url: str, database: Database, tmp_path: Path
) -> None:
    with valkey(tmp_path) as redis:
        async with (
            serving(database_url, tmp_path / "a.log", REDIS_URL=redis.url) as lives,
            serving(database_url, tmp_path / "b.log", REDIS_URL=redis.url) as dies,
        ):
            made, results = await challenge(lambda **options: playing(client_folder, node, lives.url, **options))
            await slowed_down(database, made)
            async with playing(client_folder, node, dies.url, transports=["websocket"]) as stranger:
                token = (await stranger.event("welcome"))["guest_token"]
                started = await accepted(stranger, made)
                assert (await stranger.event("answer_submitted"))["answered"] == 1
                await dies.kill()
            async with playing(
                client_folder, node, lives.url, transports=["websocket"], auth={"token": token}
            ) as stranger:
                await answer_rightly(stranger, started, results)
                over = await stranger.event("quiz_results")
                assert [one["opponent_answer"] for one in over["questions"]] == [0, 0, None]
                assert (over["outcome"], over["ghost"]) == ("won", True)
