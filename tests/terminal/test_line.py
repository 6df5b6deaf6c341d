"""A line that breaks comes back as the same player, and whatever was not acknowledged counts once."""

import asyncio
from contextlib import suppress

import pytest

from pairquiz_server.client import connection
from pairquiz_server.client.errors import ClientError, NoServer, Refusal
from pairquiz_server.client.line import Line
from tests.client import connected
from tests.conftest import Server, StartServer
from tests.terminal.cable import Cable
from tests.terminal.seats import duel_of, seated


async def test_a_player_whose_line_is_cut_in_a_match_comes_back_and_goes_on(server: Server) -> None:
    async with Cable(server.url).laid() as cable, seated(cable.url) as first, seated(server.url) as second:
        await duel_of(first, second, question_count=2)
        await first.start()
        question = await first.next_question()
        assert question is not None
        await first.answer(question, 0)

        cable.cut()
        question = await first.next_question()
        assert question is not None
        await first.answer(question, 1)
        while question := await second.next_question():
            await second.answer(question, 2)
        duel = await first.until(lambda now: now.over)
        assert duel.results is not None
        assert [one.your_answer for one in duel.results.questions] == [0, 1]
        assert first.heard.count("connection_lost") == first.heard.count("connection_back") == 1
        assert len(first.tokens) == 2


async def test_an_answer_whose_acknowledgement_is_lost_is_sent_again_and_counts_once(server: Server) -> None:
    async with Cable(server.url).laid() as cable, seated(cable.url) as first, seated(server.url) as second:
        await duel_of(first, second, question_count=2)
        await first.start()
        question = await first.next_question()
        assert question is not None
        cable.lose_next_answer()
        await first.answer(question, 3)
        assert cable.cuts == 1
        duel = await second.until(lambda now: now.opponent is not None and now.opponent.answered == 1)
        assert duel.opponent is not None
        assert first.duel is not None
        assert first.duel.answered == {question.id}


async def test_a_match_is_opened_once_though_its_acknowledgement_is_lost(server: Server) -> None:
    async with Cable(server.url).laid() as cable, seated(cable.url) as player:
        cable.lose_next_answer()
        duel = await player.create({"topic": "History"})
        assert cable.cuts == 1
        assert duel.topic == "History"
        async with connected(server.url, token=player.tokens[-1]) as tab:
            assert len(tab.welcome["sessions"]) == 1


async def test_who_looks_for_somebody_goes_on_looking_after_a_cut(server: Server) -> None:
    async with Cable(server.url).laid() as cable, seated(cable.url) as first, seated(server.url) as second:
        finding = asyncio.create_task(first.find({}))
        await first.until_heard("opponent_search")
        cable.cut()
        await first.until_heard("connection_back")
        await second.find({})
        assert (await finding).session_id == (await second.until(lambda duel: True)).session_id


async def test_a_match_that_went_on_meanwhile_is_seen_as_it_is(server: Server) -> None:
    async with Cable(server.url).laid() as cable, seated(cable.url) as first, seated(server.url) as second:
        await duel_of(first, second, question_count=2)
        await first.start()
        await second.until(lambda duel: duel.status == "in_progress")
        cable.cut()
        for _ in range(2):
            question = await second.next_question()
            assert question is not None
            await second.answer(question, 2)
        duel = await first.until(lambda now: now.opponent is not None and now.opponent.answered == 2)
        assert duel.opponent is not None
        assert duel.opponent.completed


async def test_where_nobody_answers_the_address_is_named(server: Server) -> None:
    cable = Cable(server.url)
    async with cable.laid():
        url = cable.url
    with pytest.raises(NoServer, match=f"no server answers at {url}"):
        await Line(url, None).open()


async def test_a_token_that_proves_nothing_is_refused_for_good(server: Server) -> None:
    with pytest.raises(Refusal) as refused:
        await Line(server.url, "no token").open()
    assert (refused.value.code, refused.value.retry) == ("unauthorized", False)


async def test_a_server_that_stays_away_is_given_up(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairquiz_server.client.line.PATIENCE_S", 0)
    server = await start_server()
    cable = Cable(server.url)
    async with cable.laid():
        line = Line(cable.url, None)
        await line.open()
    with pytest.raises(ClientError, match="try again later") as given_up:
        await line.keep()
    assert not isinstance(given_up.value, NoServer)  # to which `play` adds how to find one
    await line.close()


async def answering(answer: bytes) -> asyncio.Server:
    """Something that answers each request alike."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        ("200 OK", "text/html", b"<html>a page</html>"),
        ("200 OK", "text/plain", b""),
        ("200 OK", "text/plain", b'0{"sid":"x"}'),
        ("200 OK", "text/plain", b"0[]"),
        ("404 Not Found", "text/html", b"<html>nothing</html>"),
        ("500 Internal Server Error", "application/json", b"{"),
        ("503 Service Unavailable", "application/json", b'{"error": 3}'),
    ],
)
async def test_what_is_no_server_of_ours_is_said_to_be_none(status: str, kind: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    server = await answering(head.encode() + body)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NoServer, match=url):
            await Line(url, None).open()


async def test_a_server_that_is_full_says_so_itself() -> None:
    body = b'{"error": {"code": "server_full", "message": "The server is full", "retry": true}}'
    head = f"HTTP/1.1 503 Full\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    server = await answering(head.encode() + body)
    async with server:
        with pytest.raises(Refusal, match="The server is full") as refused:
            await Line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None).open()
    assert refused.value.retry


async def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_S", 0.1)
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NoServer):
            await Line(f"http://127.0.0.1:{port}", None).open()
        for writer in held:
            writer.close()
