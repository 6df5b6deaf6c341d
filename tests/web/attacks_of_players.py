"""What strangers and players try by commands, tokens, texts and pages. Each attack sees that it is refused."""

import jwt
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.web.duel import answering
from tests.web.hostile import FORGED, HUGE, RESERVED
from tests.web.rest import CREATE, JOIN
from tests.web.target import QUESTIONS, Target, code


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
            for command in (
                "submit_answer", "quiz_completed", "leave_pair_quiz", "resume_pair_quiz", "start_quiz",
                "request_rematch",
            ):  # fmt: skip
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
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(target.url + CREATE, json={}, headers=headers) as response:
                assert response.status == 401, name


async def doors_of_others(target: Target) -> None:
    """What is the operator's, and what is a player's own: the metrics, profiles, exports, erasure, another's token."""
    async with target.stranger() as client, ClientSession(headers=target.headers) as session:
        async with session.get(f"{target.url}/metrics") as response:
            assert response.status == 403
        async with session.get(f"{target.url}/metrics", headers={"Authorization": "Bearer x"}) as response:
            assert response.status == 403
        forged = jwt.encode({"sub": target.players.first.user_id}, "x" * 32, algorithm="HS256")
        for headers in ({}, {"Authorization": f"Bearer {forged}"}, {"Authorization": "Basic eDp4"}):
            for method, path in (("GET", "/api/me/"), ("GET", "/api/me/export/"), ("DELETE", "/api/me/")):
                async with session.request(method, target.url + path, headers=headers) as response:
                    assert response.status == 401, path
        assert code(await client.ask("refresh_token", {"token": forged})) == "unauthorized"
        assert code(await client.ask("refresh_token", {"token": target.players.first.token})) == "forbidden"
        assert code(await client.ask("resume_pair_quiz", {"session_id": target.session_id})) == "not_a_player"


async def guessed_codes(target: Target) -> None:
    """Join codes by chance."""
    async with target.stranger() as client:
        answers = [code(await client.ask("join_pair_quiz", {"join_code": f"{number:08}"})) for number in range(60)]
    assert set(answers) == {"not_found", "rate_limited"}
    assert answers.count("not_found") < 25
    assert answers[-1] == "rate_limited"


async def huge_numbers(target: Target) -> None:
    """Numbers that no column and no clock can hold."""
    async with target.stranger() as client:
        for number in HUGE:
            await client.send_frame(f'4277["create_pair_quiz",{{"question_count":{number}}}]')
            assert code(await client.acknowledged(77)) == "invalid_payload"


async def texts_that_mean_something_elsewhere(target: Target) -> None:
    """SQL, HTML, templates, paths and control characters where a text is asked for."""
    texts = ("'; DROP TABLE matches; --", "<script>alert(1)</script>", "{{7*7}}", "../../etc/passwd", "%s%n", "$1")
    async with target.stranger() as client:
        for text in texts:
            assert code(await client.ask("create_pair_quiz", {"topic": text})) == "not_enough_questions"
            assert code(await client.ask("join_pair_quiz", {"session_id": text})) == "not_found"
        for text in ("a\x00b", "a\nb", "x" * 5000):
            assert code(await client.ask("create_pair_quiz", {"topic": text})) == "invalid_payload"


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


ATTACKS = (
    forged_events,
    commands_to_a_match_of_others,
    false_score,
    replayed_answers,
    forged_tokens,
    doors_of_others,
    guessed_codes,
    huge_numbers,
    texts_that_mean_something_elsewhere,
    foreign_pages,
)
