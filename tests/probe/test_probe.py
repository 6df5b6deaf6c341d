"""A probe plays a real duel, and tells what is wrong with it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.probe import duel
from pairquiz_server.probe.duel import Guests, Health, Probed, Users, probe
from pairquiz_server.store.pool import Database
from tests.conftest import Server, StartServer
from tests.doctor.nginx import nginx
from tests.loadtest.meddler import Mend, meddling
from tests.loadtest.packets import (
    edited,
    is_answers_acknowledgement,
    is_opponents_answer,
    once,
    raised_score,
)
from tests.ports import OwnPort

PATIENT_S = 60.0
PHASES = {
    "dns", "tcp", "handshake", "welcome", "start", "return", "results", "duel",
    "acknowledgement_p50", "acknowledgement_max", "event_p50", "event_max",
}  # fmt: skip


async def probed(url: str, guests: Guests | None = None, *, slow_s: float = PATIENT_S) -> Probed:
    return await probe(url, guests or Guests(), Scale(), slow_s=slow_s)


async def test_a_duel_that_is_well_is_good_and_measured(server: Server) -> None:
    found = await probed(server.url)
    assert (found.health, found.why, found.findings) == (Health.GOOD, "all well", [])
    assert found.phases.keys() == PHASES  # there is no TLS here
    assert all(seconds >= 0 for seconds in found.phases.values())


async def test_the_same_two_guests_play_each_time_and_nobody_is_rated(server: Server, database: Database) -> None:
    guests = Guests()
    for _ in range(2):
        assert (await probed(server.url, guests)).health is Health.GOOD
    async with database.connection() as connection:
        names = await connection.fetch("SELECT display_name, record_runs FROM pairquiz.players")
    assert [(row["display_name"], row["record_runs"]) for row in names] == [("Probe", False)] * 2


async def test_guests_who_are_not_known_any_more_come_as_new_ones(server: Server) -> None:
    guests = Guests("no.such.token", "no.such.token")
    assert (await probed(server.url, guests)).health is Health.GOOD
    assert guests != Guests("no.such.token", "no.such.token")


async def test_users_whose_tokens_are_not_taken_are_nobody_else(server: Server, database: Database) -> None:
    found = await probed(server.url, Users("no.such.token", "no.such.token"))
    assert found.health is Health.FAILED
    assert "JWT_SECRET" in found.why
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pairquiz.players") == 0


async def test_a_proxy_that_passes_no_upgrade_on_is_asked_about(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, server.url, location="") as url:
        found = await probed(url)
    assert (found.health, "passes no upgrade on" in found.why) == (Health.FAILED, True)


async def test_who_came_in_alone_leaves(server: Server) -> None:
    async with meddling(server.url) as meddler:
        welcomes: list[str] = []
        cuts: list[asyncio.Task[None]] = []

        def only_one(packet: str) -> list[str]:
            if packet.startswith('42["welcome"'):
                welcomes.append(packet)
            if len(welcomes) < 2:
                return [packet]
            cuts.append(asyncio.create_task(meddler.cut()))
            return []

        meddler.mend = only_one
        found = await probed(meddler.url)
        playing = [task for task in asyncio.all_tasks() if "pairquiz_server/loadtest" in repr(task)]
    assert (found.health, playing) == (Health.FAILED, [])
    assert "before its welcome" in found.why


async def test_a_slow_server_is_degraded(server: Server) -> None:
    assert (await probed(server.url, slow_s=0.0)).health is Health.DEGRADED


@pytest.mark.parametrize(
    ("fits", "change", "fault"),
    [
        (is_answers_acknowledgement, edited(raised_score), "wrong_score"),
        (is_opponents_answer, lambda packet: [packet, packet], "doubled"),
        (is_opponents_answer, lambda packet: [], "missed"),
    ],
    ids=["a score changed", "an event doubled", "an event dropped"],
)
async def test_what_is_wrong_fails(server: Server, fits: Callable[[str], bool], change: Mend, fault: str) -> None:
    async with meddling(server.url) as meddler:
        meddler.mend = once(fits, change)
        found = await probed(meddler.url)
    assert found.health is Health.FAILED
    assert fault in found.faults


async def test_a_duel_that_never_ends_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duel, "DUEL_S", 0.5)
    async with meddling(server.url) as meddler:
        meddler.mend = once(is_answers_acknowledgement, lambda packet: [])
        found = await probed(meddler.url)
    assert found.health is Health.FAILED


async def test_nobody_there_fails_and_says_so() -> None:
    port = OwnPort()
    try:
        found = await probed(f"http://127.0.0.1:{port.number}")
    finally:
        port.close()
    assert found.health is Health.FAILED
    assert "cannot be reached" in found.why


async def test_a_server_that_takes_no_guests_fails_and_says_so(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET="a secret of the issuer, long enough for every algorithm")
    found = await probed(server.url)
    assert (found.health, "token" in found.why) == (Health.FAILED, True)
