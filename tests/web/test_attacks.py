"""A duel is played to its end while somebody attacks the server: the attack is seen refused, the duel is unharmed.

One server, a row for each attack. Attackers come from addresses of their own, as a proxy tells.
"""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
import pytest
import pytest_asyncio
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.client import PATIENCE_S, Client, connected
from tests.conftest import Server, execute, serving, sibling
from tests.web.answered import ask
from tests.web.duel import Duel, answering, duel
from tests.web.hostile import BAD, FORGED, HUGE, RESERVED
from tests.web.polling import Poller
from tests.web.raw import Raw
from tests.web.rest import CREATE, JOIN
from tests.web.stalls import deaf

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "https://quiz.example"
QUESTIONS = 4
ADDRESSES_CONNECTIONS = 12
SETTINGS = {
    "PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1",
    "PAIRQUIZ_SERVER__ALLOWED_ORIGINS": f'["{PAGE}"]',
    "PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS": str(ADDRESSES_CONNECTIONS),
    "PAIRQUIZ_LIMITS__COMMANDS_BURST": "100",
    "PAIRQUIZ_LIMITS__FIRST_REQUEST_S": "1.5",
    "PAIRQUIZ_LIMITS__REST_BODY_S": "1",
    "PAIRQUIZ_LIMITS__UNAUTHENTICATED_S": "1.5",
    "PAIRQUIZ_LIMITS__STALL_S": "2",
    "PAIRQUIZ_LIMITS__SEND_QUEUE_BYTES": "65536",
}


@dataclass(frozen=True)
class Target:
    """What an attacker knows: the server, the link to the match that is being played, and an own address."""

    url: str
    match: dict[str, Any]
    players: Duel
    address: str

    @property
    def session_id(self) -> str:
        return str(self.match["session_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": self.address}

    @asynccontextmanager
    async def stranger(self, **wishes: Any) -> AsyncIterator[Client]:
        async with connected(self.url, X_Forwarded_For=self.address, **wishes) as client:
            yield client

    @asynccontextmanager
    async def bare(self, path: str = "/socket.io/?EIO=4&transport=websocket") -> AsyncIterator[Any]:
        async with ClientSession() as session, session.ws_connect(self.url + path, headers=self.headers) as socket:
            assert (await socket.receive_str()).startswith("0{")
            yield socket

    @asynccontextmanager
    async def polls(self) -> AsyncIterator[Poller]:
        async with ClientSession(headers=self.headers) as session:
            poller = Poller(session, f"{self.url}/socket.io/")
            poller.sid = json.loads((await poller.next_packet("0"))[1:])["sid"]
            yield poller


def code(answer: dict[str, Any]) -> str:
    return "" if answer["ok"] else str(answer["error"]["code"])


async def bad_frames(target: Target) -> None:
    """Frames that cannot be read, of every kind."""
    frames = list(BAD.values())
    for start in range(0, len(frames), 5):
        async with target.stranger() as client:
            for frame in (frames[start : start + 5] * 5)[:5]:
                await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
            assert await client.closed() == 1008


async def forged_events(target: Target) -> None:
    """Events that only the server sends, and those that mean something to a library."""
    async with target.stranger() as client:
        for name in (*RESERVED, *FORGED):
            assert code(await client.ask(name, {"session_id": target.session_id})) == "unknown_command"


async def commands_to_a_match_of_others(target: Target) -> None:
    """Everything that a link to a match might let a stranger do."""
    question = target.match["questions"][0]["id"]
    payload = {"session_id": target.session_id, "question_id": question, "answer": 0, "score": 10**6}
    async with target.stranger() as client, ClientSession(headers=target.headers) as session:
        for claimed in (None, target.players.first.user_id):
            for command in ("submit_answer", "quiz_completed", "leave_pair_quiz", "resume_pair_quiz", "start_quiz"):
                assert code(await client.ask(command, {**payload, "user_id": claimed})) == "not_a_player", command
            joining = {"session_id": target.session_id, "user_id": claimed}
            assert code(await client.ask("join_pair_quiz", joining)) == "session_full"
        headers = {"Authorization": f"Bearer {client.token}"}
        async with session.get(f"{target.url}/api/pair-quiz/{target.session_id}", headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (403, "not_a_player")
        async with session.post(target.url + JOIN, json=joining, headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (409, "session_full")


async def false_score(target: Target) -> None:
    """A player's own claims: another name, and a score before the end."""
    async with target.stranger() as first, target.stranger() as second:
        match = await first.ask("create_pair_quiz", {"question_count": 2, "user_id": target.players.first.user_id})
        await second.ask("join_pair_quiz", {"session_id": match["session_id"], "user_id": first.user_id})
        await first.ask("start_quiz", {"session_id": match["session_id"]})
        done = await first.ask("quiz_completed", {"session_id": match["session_id"], "score": 10**6})
        assert (done["ok"], done["score"]) == (True, 0)
        assert (await second.ask("leave_pair_quiz", {"session_id": match["session_id"]}))["ok"]
        assert (await first.event("quiz_results"))["your_score"] == 0


async def replayed_answers(target: Target) -> None:
    """A player who answers again what is answered, by another tab: the same, and otherwise."""
    tab = target.players.tab
    for _ in range(10):
        repeat = await tab.ask("submit_answer", answering(target.match, 0, 0))  # the first player's answer
        assert (repeat["ok"], repeat["duplicate"]) == (True, True)
    for answer in (1, 2, 3):
        assert code(await tab.ask("submit_answer", answering(target.match, 0, answer))) == "already_answered"
    for answer in (4, -1, 2**70, None, "no such option", [0], True):
        last = answering(target.match, QUESTIONS - 1, answer)
        assert code(await tab.ask("submit_answer", last)) == "invalid_payload", answer
    foreign = {**answering(target.match), "question_id": 2**40}
    assert code(await tab.ask("submit_answer", foreign)) == "unknown_question"


async def forged_tokens(target: Target) -> None:
    """Tokens that claim to be a player's."""
    victim = target.players.first
    claims = jwt.decode(victim.token, options={"verify_signature": False})
    head, body, signature = victim.token.split(".")
    forged = {
        "signed by another secret": jwt.encode(claims, "another secret that is long enough for it", algorithm="HS256"),
        "not signed": jwt.encode(claims, None, algorithm="none"),
        "without its signature": f"{head}.{body}.",
        "with another's signature": f"{head}.{body}.{signature[::-1]}",
        "with another subject": jwt.encode({**claims, "sub": "x"}, "x" * 32, algorithm="HS256"),
        "by another algorithm": jwt.encode(claims, "x" * 64, algorithm="HS512"),
        "of an issuer": jwt.encode({**claims, "iss": "https://issuer.example"}, "x" * 32, algorithm="HS256"),
        "too long": victim.token + "x" * 9000,
        "nonsense": "x",
    }
    async with ClientSession(headers=target.headers) as session:
        for name, token in forged.items():
            async with target.stranger(token=token, welcome=False) as client:
                refusal = await client.event("connect_error")
                assert (refusal["data"]["code"], refusal["data"]["retry"]) == ("unauthorized", False), name
            if len(token) < 8000:  # longer is no header at all
                headers = {"Authorization": f"Bearer {token}"}
                async with session.post(target.url + CREATE, json={}, headers=headers) as response:
                    assert response.status == 401, name


async def guessed_codes(target: Target) -> None:
    """Join codes by chance."""
    async with target.stranger() as client:
        answers = [code(await client.ask("join_pair_quiz", {"join_code": f"{number:08}"})) for number in range(60)]
    assert set(answers) == {"not_found", "rate_limited"}
    assert answers.count("not_found") < 25
    assert answers[-1] == "rate_limited"


async def flood_of_commands(target: Target) -> None:
    """More commands than anybody needs; each is answered, and nobody is closed."""
    async with target.stranger() as client:
        for number in range(500):
            await client.send_frame(f'42{number + 1000}["sync_clock",{{}}]')
        answers = [code(await client.acknowledged(number + 1000)) for number in range(500)]
        assert set(answers) == {"", "rate_limited"}
        assert answers.count("rate_limited") > 200


async def flood_of_connections(target: Target) -> None:
    """More connections than an address may have."""
    async with AsyncExitStack() as held:
        for _ in range(ADDRESSES_CONNECTIONS):
            await held.enter_async_context(target.stranger())
        with pytest.raises(WSServerHandshakeError) as refusal:
            await held.enter_async_context(target.stranger())
        assert refusal.value.status == 429
    async with target.stranger():
        pass


async def huge_messages(target: Target) -> None:
    """Messages over the limit, in one frame and in many, and a POST."""
    for fragments in (1, 40):
        async with target.stranger() as client:
            line = client.socket._writer.transport
            assert line is not None
            for number in range(fragments):
                line.write(fragment(b"4" * (200_000 // fragments), first=number == 0, last=number == fragments - 1))
            assert await client.closed() in (1009, 1006, None)  # it may close before it has read all of it
    async with target.polls() as poller:
        assert (await poller.post("4" + "x" * 100_000)).status == 413


def fragment(data: bytes, *, first: bool, last: bool) -> bytes:
    """Make a client's frame of a text by hand; its mask is none."""
    return struct.pack("!BBQ4x", (last << 7) | first, 0x80 | 127, len(data)) + data


async def binary_frames(target: Target) -> None:
    """Binary frames, and packets that announce attachments which never come."""
    for frame in (b"\x04", '451-["submit_answer",{"_placeholder":true,"num":0}]', "4699999-1[]", "bAAAA"):
        async with target.stranger() as client:
            for _ in range(5):
                await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
            assert await client.closed() == 1008


async def huge_numbers(target: Target) -> None:
    """Numbers that no column and no clock can hold."""
    async with target.stranger() as client:
        for number in HUGE:
            await client.send_frame(f'4277["create_pair_quiz",{{"question_count":{number}}}]')
            assert code(await client.acknowledged(77)) == "invalid_payload"


async def abused_polls(target: Target) -> None:
    """Sessions that nobody has opened, more packets than a POST may have, and two polls at a time."""
    async with ClientSession(headers=target.headers) as session:
        for sid in ("x", "A" * 20, "", "%00", target.session_id):
            guess = Poller(session, f"{target.url}/socket.io/")
            guess.sid = sid
            assert (await guess.post('42["leave_pair_quiz",{}]')).status == 400, sid
    async with target.polls() as poller:
        assert (await poller.post("40")).status == 200
        await poller.event("welcome")
        await poller.post(*["3"] * 1200)
        assert await poller.ended()
    async with target.polls() as poller:
        await poller.post("1", "40", '42["create_pair_quiz",{}]')
        assert (await poller.post("40")).status == 400


async def foreign_pages(target: Target) -> None:
    """Pages of other origins, over every transport."""
    async with ClientSession(headers=target.headers) as session:
        for origin in ("https://evil.example", "null", "https://quiz.example.evil.example", "http://quiz.example"):
            headers = {"Origin": origin}
            for path in ("/socket.io/?EIO=4&transport=polling", "/api/topics/", "/ws/", "/"):
                async with session.get(target.url + path, headers=headers) as response:
                    assert response.status == 403, (origin, path)
                    assert "Access-Control-Allow-Origin" not in response.headers
            async with session.post(target.url + CREATE, json={}, headers=headers) as response:
                assert response.status == 403
            with pytest.raises(WSServerHandshakeError) as refusal:
                async with target.stranger(Origin=origin):
                    pass
            assert refusal.value.status == 403


async def texts_that_mean_something_elsewhere(target: Target) -> None:
    """SQL, HTML, templates, paths and control characters where a text is asked for."""
    texts = ("'; DROP TABLE matches; --", "<script>alert(1)</script>", "{{7*7}}", "../../etc/passwd", "%s%n", "$1")
    async with target.stranger() as client:
        for text in texts:
            assert code(await client.ask("create_pair_quiz", {"topic": text})) == "not_enough_questions"
            assert code(await client.ask("join_pair_quiz", {"session_id": text})) == "not_found"
        for text in ("a\x00b", "a\nb", "x" * 5000):
            assert code(await client.ask("create_pair_quiz", {"topic": text})) == "invalid_payload"


async def bombs(target: Target) -> None:
    """What is small on the line and huge behind it: deep JSON, and what is compressed."""
    async with target.stranger() as client, ClientSession(headers=target.headers) as session:
        assert client.socket.compress == 0
        for deep in ("[" * 30_000, '{"a":' * 8_000):
            await client.send_frame(f'42["create_pair_quiz",{deep}')
        await client.settled()
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
        bomb = zlib.compress(b" " * 50_000_000)
        async with session.post(
            target.url + CREATE, data=bomb, headers={**headers, "Content-Encoding": "deflate"}
        ) as response:
            assert response.status in (400, 413, 415)
        async with session.post(target.url + CREATE, data=b"[" * 50_000, headers=headers) as response:
            assert response.status == 400


async def slow_heads_and_bodies(target: Target) -> None:
    """Requests that come a byte at a time (slowloris), and lines on which nothing comes."""
    lines = f"Host: x\r\nX-Forwarded-For: {target.address}\r\nContent-Type: application/json\r\n"
    whole = f"{lines}Authorization: Bearer {target.players.first.token}\r\nContent-Length: 5000\r\n\r\n"

    async def drip(path: str, head: str, rest: str) -> int:
        async with Raw(target.url) as raw:
            await raw.send(f"POST {path} HTTP/1.1\r\n{head}".encode())
            dripping = asyncio.create_task(raw.drip(rest.encode()))
            received = await raw.ended()
            await dripping
            return int(received.split()[1]) if received else 0

    async with Raw(target.url) as silent:
        statuses = await asyncio.gather(
            *(drip(path, lines, "X: " + "x" * 5000) for path in (CREATE, "/socket.io/?EIO=4&sid=x", "/")),
            *(drip(path, whole, "x" * 5000) for path in (CREATE, "/socket.io/?EIO=4&transport=polling&sid=x")),
        )
        assert statuses == [408] * 5
        assert await silent.ended() == b""


async def silent_sessions(target: Target) -> None:
    """Sessions that never say who they are, over a websocket, polls, and half an upgrade."""
    async with target.bare() as said_nothing, target.bare() as refused, target.polls() as polls:
        await refused.send_str('40{"token":"x"}')
        upgrade = f"/socket.io/?EIO=4&transport=websocket&sid={polls.sid}"
        async with ClientSession() as session, session.ws_connect(target.url + upgrade, headers=target.headers) as half:
            for socket in (said_nothing, refused, half):
                while (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is WSMsgType.TEXT:
                    pass
            assert (said_nothing.close_code, refused.close_code) == (1008, 1008)
        assert await polls.ended()


async def stalled_readers(target: Target) -> None:
    """A player who asks for much and reads nothing of it."""
    async with target.stranger() as first, target.stranger() as second:
        match = await first.ask("create_pair_quiz", {"question_count": 18, "topic": "Art"})
        await second.ask("join_pair_quiz", {"session_id": match["session_id"]})
        await second.ask("start_quiz", {"session_id": match["session_id"]})
        async with deaf(target.url, first.token) as reader:
            payload = json.dumps({"session_id": match["session_id"]})
            async with asyncio.timeout(2 * PATIENCE_S):
                await reader.ask(f'42["resume_pair_quiz",{payload}]')
            assert reader.cut.is_set()
        assert (await second.ask("leave_pair_quiz", {"session_id": match["session_id"]}))["ok"]


async def no_http(target: Target) -> None:
    """Bytes that are no request, and two requests in one."""
    host = b"Host: x\r\nX-Forwarded-For: " + target.address.encode() + b"\r\n"
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"X\r\n\r\n",
        b"POST /api/pair-quiz/join HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nabcd",
        b"POST /healthz HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"x" * 30_000 + b"\r\n\r\n",
    ):
        assert (await ask(target.url, sent)).status in (400, 431), sent[:60]


ATTACKS: dict[str, Callable[[Target], Awaitable[None]]] = {
    attack.__name__: attack
    for attack in (
        bad_frames, forged_events, commands_to_a_match_of_others, false_score, replayed_answers, forged_tokens,
        guessed_codes, flood_of_commands, flood_of_connections, huge_messages, binary_frames, huge_numbers,
        abused_polls, foreign_pages, texts_that_mean_something_elsewhere, bombs, slow_heads_and_bodies, silent_sessions,
        stalled_readers, no_http,
    )
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def attacked(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Server]:
    """A server behind a proxy, for all attacks."""
    name = f"attacked_{uuid4().hex}"
    await execute(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    async with serving(sibling(postgres.dsn, name), SETTINGS) as server:
        yield server


class Play:
    """Two players who answer one question after the other, and what they must have at the end."""

    def __init__(self, players: Duel, match: dict[str, Any]) -> None:
        self._match = match
        self._players = (players.first, players.second)
        self._scores = [0, 0]

    async def answer(self, place: int) -> None:
        """Let both answer a question, and hold what they hear against what they sent."""
        for seat, client in enumerate(self._players):
            async with asyncio.timeout(PATIENCE_S):
                answer = await client.ask("submit_answer", answering(self._match, place, seat))
            assert answer["ok"], answer
            assert answer["correct"] is (answer["correct_option"] == seat)
            assert (answer["points"] > 0) is answer["correct"]
            self._scores[seat] += answer["points"]
            assert answer["score"] == self._scores[seat]

    async def end(self) -> None:
        """Both have the same result, of their own answers."""
        for seat, client in enumerate(self._players):
            results = await client.event("quiz_results")
            own, other = self._scores[seat], self._scores[1 - seat]
            assert (results["your_score"], results["opponent_score"]) == (own, other)
            assert results["outcome"] == ("draw" if own == other else "won" if own > other else "lost")
            assert results["reason"] == "all_answered"
            assert [line["your_answer"] for line in results["questions"]] == [seat] * QUESTIONS
            assert {name for name, _ in await client.settled()} <= {"answer_submitted", "opponent_completed"}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_duel_is_unharmed_while_somebody_attacks(attacked: Server, attack: str) -> None:
    async with duel(attacked) as players:
        match = await players.start(question_count=QUESTIONS)
        address = f"192.0.2.{list(ATTACKS).index(attack) + 1}"
        play = Play(players, match)
        await play.answer(0)
        attacking = asyncio.create_task(ATTACKS[attack](Target(attacked.url, match, players, address)))
        try:
            for place in range(1, QUESTIONS - 1):
                await play.answer(place)
            await attacking
        finally:
            attacking.cancel()
        await play.answer(QUESTIONS - 1)
        await play.end()
