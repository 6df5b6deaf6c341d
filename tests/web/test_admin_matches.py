"""What an operator sees of matches and players, and how one ends them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server.cli.operator_line import OperatorLine
from pairquiz_server.client.errors import Refusal
from pairquiz_server.protocol.admin import (
    EndedMatch,
    EndMatch,
    FoundPlayers,
    MatchChange,
    MatchPage,
    Node,
    ShownMatch,
)
from tests.client import EVENT_PATIENCE_S, Client, connected, ready_match, started_match
from tests.conftest import Server
from tests.web.duel import answering
from tests.web.operator import audit, operator_by_socket

NOBODY = "00000000-0000-4000-8000-000000000000"


async def listed(line: OperatorLine, **query: str) -> list[str]:
    return [one.session_id for one in (await line.ask("list_matches", MatchPage, query=query)).matches]


async def show(line: OperatorLine, session_id: str, **query: str) -> ShownMatch:
    return await line.ask("show_match", ShownMatch, parts={"session_id": session_id}, query=query)


async def end(line: OperatorLine, session_id: str, winner: int | None = None) -> EndedMatch:
    payload = EndMatch(reason="a test of ours", winner=winner)
    return await line.ask("end_match", EndedMatch, parts={"session_id": session_id}, payload=payload)


async def complete(session_id: str, *players: Client) -> None:
    for player in players:
        assert (await player.ask("quiz_completed", {"session_id": session_id}))["ok"]
    for player in players:
        await player.event("quiz_results")


async def test_matches_are_listed_the_newest_first_page_by_page(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        operator_by_socket(server, tmp_path) as line,
    ):
        over = (await started_match(first, second, topic="Music"))["session_id"]
        await complete(over, first, second)
        waiting = [(await first.ask("create_pair_quiz", {}))["session_id"] for _ in range(3)]
        running = (await started_match(second, first, topic="Music"))["session_id"]
        live = [running, *waiting[::-1]]
        assert await listed(line) == live
        assert await listed(line, state="waiting") == waiting[::-1]
        assert await listed(line, state="completed") == [over]
        assert await listed(line, topic=" mUSIC") == [running]
        assert await listed(line, player=second.user_id) == [running, over]
        assert await listed(line, player=second.user_id, state="completed") == [over]
        pages, cursor = [], None
        while True:
            query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = await line.ask("list_matches", MatchPage, query=query)
            pages.append([one.session_id for one in page.matches])
            cursor = page.next_cursor
            if cursor is None:
                break
        assert pages == [live[:2], live[2:]]
        for query in ({"cursor": "x"}, {"limit": "0"}, {"limit": "201"}, {"state": "odd"}, {"sate": "ready"}):
            with pytest.raises(Refusal) as refused:
                await listed(line, **query)
            assert refused.value.code == "invalid_payload"


async def test_a_match_is_shown_and_its_right_options_only_when_it_is_over_or_by_a_noted_wish(
    server: Server, tmp_path: Path
) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        operator_by_socket(server, tmp_path) as line,
    ):
        started = await started_match(first, second)
        session_id = started["session_id"]
        await first.ask("submit_answer", answering(started, 0))
        match = await show(line, session_id)
        assert [player.id for player in match.players] == [first.user_id, second.user_id]
        assert (match.status, len(match.questions), match.players[0].answered) == ("in_progress", 5, 1)
        (answer,) = match.questions[0].answers
        assert (answer.player, answer.chosen, answer.correct, match.questions[0].correct) == (1, None, None, None)
        assert await audit(line) == []
        match = await show(line, session_id, answers="true")
        (answer,) = match.questions[0].answers
        assert answer.chosen == answering(started, 0)["answer"]
        assert answer.correct == (match.questions[0].correct == answer.chosen)
        (noted,) = await audit(line)
        assert (noted.action, noted.subject) == ("match.answers", session_id)
        await complete(session_id, first, second)
        match = await show(line, session_id)
        assert (match.status, match.end_reason) == ("completed", "all_answered")
        assert all(question.correct is not None for question in match.questions)
        for unknown in (NOBODY, "no uuid"):
            with pytest.raises(Refusal) as refused:
                await show(line, unknown)
            assert refused.value.code == "not_found"


async def test_whoever_watches_sees_each_change_until_the_end(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        operator_by_socket(server, tmp_path) as line,
    ):
        session_id = (await first.ask("create_pair_quiz", {"question_count": 2}))["session_id"]
        lines: asyncio.Queue[MatchChange | None] = asyncio.Queue()

        async def watch() -> None:
            async for change in line.follow("watch_match", MatchChange, parts={"session_id": session_id}):
                lines.put_nowait(change)
            lines.put_nowait(None)

        async def until(what: str) -> list[MatchChange]:
            seen: list[MatchChange] = []
            while not seen or seen[-1].what != what:
                change = await lines.get()
                assert change is not None
                seen.append(change)
            return seen

        watching = asyncio.create_task(watch())
        (state,) = await until("state")
        assert (state.status, state.version) == ("waiting", 1)
        await second.ask("join_pair_quiz", {"session_id": session_id})
        assert (await until("joined"))[-1].player == 2
        await first.ask("start_quiz", {"session_id": session_id})
        started = await first.event("quiz_started")
        await until("started")
        told = await first.ask("submit_answer", answering(started, 0))
        answered = (await until("answered"))[-1]
        assert (answered.player, answered.question, answered.points) == (1, 1, told["points"])
        assert answered.scores == (told["score"], 0)
        second.cut()
        assert (await until("away"))[-1].cause == "connection_lost"
        await first.ask("leave_pair_quiz", {"session_id": session_id})
        assert (await until("ended"))[-1].reason == "player_left"
        assert await lines.get() is None
        await watching


async def ended(client: Client) -> dict[str, Any]:
    told = await client.event("session_expired")
    return {key: told[key] for key in ("reason", "by_operator")}


async def test_a_match_that_the_operator_ends_is_nobodys_loss(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        operator_by_socket(server, tmp_path) as line,
    ):
        waiting = (await first.ask("create_pair_quiz", {}))["session_id"]
        assert (await end(line, waiting)).status == "abandoned"
        assert await ended(first) == {"reason": "nobody_joined", "by_operator": True}
        ready = await ready_match(first, second)
        await end(line, ready)
        running = (await started_match(first, second))["session_id"]
        assert await end(line, running) == EndedMatch(running, "abandoned", 4, False)
        for player in (first, second):
            assert await ended(player) == {"reason": "never_started", "by_operator": True}
            assert await ended(player) == {"reason": "both_absent", "by_operator": True}
            state = await player.ask("resume_pair_quiz", {"session_id": running})
            assert (state["status"], "results" in state) == ("abandoned", False)
        assert (await end(line, running)).already
        deeds = await audit(line)
        assert [(deed.action, deed.subject) for deed in deeds] == [
            ("match.end", waiting), ("match.end", ready), ("match.end", running)
        ]  # fmt: skip
        assert all(b"a test of ours" in bytes(deed.detail) for deed in deeds)


async def test_the_operator_may_name_the_winner_of_a_match_that_runs(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as first,
        connected(server.url) as second,
        operator_by_socket(server, tmp_path) as line,
    ):
        ready = await ready_match(first, second)
        with pytest.raises(Refusal, match="without a winner"):
            await end(line, ready, winner=1)
        running = (await started_match(first, second))["session_id"]
        assert (await end(line, running, winner=2)).status == "completed"
        for player, outcome, reason in ((first, "lost", "you_left"), (second, "won", "opponent_left")):
            results = await player.event("quiz_results")
            assert (results["outcome"], results["reason"], results["by_operator"]) == (outcome, reason, True)
        for session_id, code in ((running, None), (NOBODY, "not_found")):
            if code is None:
                assert (await end(line, session_id)).already
                continue
            with pytest.raises(Refusal) as refused:
                await end(line, session_id)
            assert refused.value.code == code
        over = (await started_match(first, second))["session_id"]
        await complete(over, first, second)
        with pytest.raises(Refusal) as refused:
            await end(line, over)
        assert refused.value.code == "wrong_state"
        assert [deed.subject for deed in await audit(line)] == [running], "what was refused is not noted"


async def test_a_player_is_found_with_where_they_are(server: Server, tmp_path: Path) -> None:
    async with (
        connected(server.url) as player,
        connected(server.url) as other,
        operator_by_socket(server, tmp_path) as line,
    ):
        session_id = await ready_match(player, other)
        node = await line.ask("show_node", Node)
        there = "SELECT EXISTS (SELECT FROM pairquiz.presence WHERE player_id = $1)"
        async with asyncio.timeout(EVENT_PATIENCE_S):
            while not await server.running.database.fetchval(there, player.user_id):
                await player.settled()  # it is written a moment after the welcome
        found = await line.ask("find_players", FoundPlayers, query={"text": player.user_id})
        (one,) = found.players
        assert (one.id, one.nodes, one.live_matches, one.rating) == (player.user_id, [node.id], [session_id], None)
        assert (await line.ask("find_players", FoundPlayers, query={"text": "nobody at all"})).players == []
