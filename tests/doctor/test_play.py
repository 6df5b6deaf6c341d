"""What can be wrong with playing is found, by its name; and what has become of a session."""

from contextlib import closing
from uuid import uuid4

import pytest

from pairquiz_server.client.duel import Duel
from pairquiz_server.doctor.finding import Finding
from pairquiz_server.doctor.outside import duel
from pairquiz_server.doctor.outside.duel import Played, clock_found, contradiction, look_at_duel, pace_found
from pairquiz_server.doctor.outside.session import look_at_session
from pairquiz_server.doctor.outside.target import Target
from pairquiz_server.store.pool import Database
from pairquiz_server.web.identity.auth import sign_user_token
from tests.client import connected
from tests.conftest import Server, StartServer, execute
from tests.doctor.looking import all_of, told
from tests.ports import OwnPort
from tests.web.conftest import SECRET
from tests.web.issuer import EC, HS

PLAYED = {"server clock": "ok", "duel": "ok", "answers": "ok"}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may have much else to do."""
    monkeypatch.setattr(duel, "SLOW_MS", 60_000)


async def played(url: str, *tokens: str) -> dict[str, str]:
    return told(
        await all_of(look_at_duel(Target(url, tokens=(tokens or (None,))[:1] * 2 if len(tokens) < 2 else tokens)))
    )  # type: ignore[arg-type]


async def looked_up(url: str, session: str, token: str | None = None) -> list[Finding]:
    return await all_of(look_at_session(Target(url, tokens=(token, token), session=session)))


async def test_two_guests_play(server: Server) -> None:
    assert await played(server.url) == PLAYED


async def test_two_users_play_and_one_alone_cannot(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    one, other = (sign_user_token(server.settings, name, lifetime_s=60) for name in ("ada", "ben"))
    assert await played(server.url, one, other) == PLAYED
    assert await played(server.url, one) == {"server clock": "ok", "duel": "skipped"}
    assert await played(server.url) == {"duel": "skipped"}
    assert await played(server.url, HS.token(exp=1)) == {"duel": "token-refused"}


async def test_players_of_its_own_are_named_and_others_left_as_they_are(
    start_server: StartServer, database: Database
) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    for names, lent in ((("doctor-1", "doctor-2"), False), (("ada", "ben"), True)):
        one, other = (sign_user_token(server.settings, name, lifetime_s=60) for name in names)
        assert told(await all_of(look_at_duel(Target(server.url, tokens=(one, other), lent=lent)))) == PLAYED
    async with database.connection() as connection:
        profiles = await connection.fetch("SELECT id, display_name, record_runs FROM pairquiz.players")
    ours = {row["id"]: (row["display_name"] == duel.NAME, not row["record_runs"]) for row in profiles}
    assert ours == {"doctor-1": (True, True), "doctor-2": (True, True), "ada": (False, False), "ben": (False, False)}


async def test_a_server_has_no_keys(start_server: StartServer) -> None:
    with closing(OwnPort()) as port:
        server = await start_server(PAIRQUIZ_AUTH__JWKS_URL=f"http://127.0.0.1:{port.number}/keys")
        assert await played(server.url, EC.token()) == {"duel": "keys-away"}


async def test_a_server_is_full(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__CONNECTIONS="1")
    assert await played(server.url) == {"duel": "connect-refused"}


async def test_there_are_too_few_questions(database_url: str, start_server: StartServer) -> None:
    await execute(database_url, "UPDATE pairquiz.questions SET retired_at = now()")
    server = await start_server()
    assert (await played(server.url))["duel"] == "questions-few"


async def test_a_server_takes_no_more_matches(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__LIVE_MATCHES_PER_USER="1", JWT_SECRET=SECRET)
    one, other = (sign_user_token(server.settings, name, lifetime_s=60) for name in ("ada", "ben"))
    async with connected(server.url, token=one) as client:
        await client.ask("create_pair_quiz", {"topic": "General"})
        assert (await played(server.url, one, other))["duel"] == "duel-refused"


async def test_a_duel_does_not_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duel, "DUEL_S", 0.01)
    assert (await played(server.url))["duel"] == "duel-hangs"


def test_a_duel_that_ends_for_one_alone_is_wrong() -> None:
    unfinished = Duel(
        session_id="x",
        topic="General",
        status="in_progress",
        pace="free",
        question_count=3,
        time_limit=10,
        version=1,
        whole_at=1,
    )
    assert contradiction(Played(unfinished, []), Played(unfinished, [])) == "it is in_progress, without results"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"your_score": 1}, "a score is 1 for one"),
        ({"your_accuracy": {"right": 0, "answered": 2, "of": 3}}, "3 answers were given, and 2 counted"),
    ],
)
async def test_a_duel_with_other_results_than_were_played_is_wrong(
    server: Server, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], what: str
) -> None:
    seen: list[tuple[Played, Played]] = []

    def tampered(one: Played, other: Played) -> str | None:
        seen.append((one, other))
        return contradiction(_with(one, change), other)

    monkeypatch.setattr(duel, "contradiction", tampered)
    (_, wrong) = await all_of(look_at_duel(Target(server.url)))
    assert wrong.fault == "duel-wrong"
    assert what in wrong.what
    assert contradiction(*seen[0]) is None


def _with(one: Played, change: dict[str, object]) -> Played:
    from msgspec import convert
    from msgspec.structs import replace

    from pairquiz_server.protocol.events.ending import Accuracy

    kept = {name: convert(value, Accuracy) if name == "your_accuracy" else value for name, value in change.items()}
    assert one.duel.results is not None
    return Played(replace(one.duel, results=replace(one.duel.results, **kept)), one.answers)


def test_clocks_and_answers_are_judged() -> None:
    assert clock_found(-6).fault == clock_found(6).fault == "server-clock"
    assert clock_found(4).fault == ""
    assert pace_found([90_000.0, 90_000.0, 20.0]).fault == "answers-slow"
    assert pace_found([20.0, 20.0, 90_000.0]).fault == ""


async def test_what_has_become_of_a_session(server: Server) -> None:
    async with connected(server.url) as client:
        session = (await client.ask("create_pair_quiz", {"topic": "General"}))["session_id"]
        (there,) = await looked_up(server.url, session, client.token)
        (not_ours,) = await looked_up(server.url, session)
        await client.ask("leave_pair_quiz", {"session_id": session})
        (over,) = await looked_up(server.url, session, client.token)
        (unknown,) = await looked_up(server.url, str(uuid4()), client.token)
        (no_id,) = await looked_up(server.url, "AB12", client.token)
    assert (there.fault, there.what) == ("", f"{session} is waiting")
    assert not_ours.fault == "session-not-yours"
    assert over.fault == "session-over"
    assert unknown.fault == no_id.fault == "session-unknown"
