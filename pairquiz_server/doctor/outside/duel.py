"""A whole duel between two players of our own, by the way that all players go."""

import asyncio
import random
import time
from statistics import median
from typing import Any

import msgspec
from aiohttp import ClientError as HttpError
from aiohttp import ClientSession, ClientTimeout
from msgspec import Struct

from pairquiz_server.client.beside import beside
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.line import Line
from pairquiz_server.client.seat import Seat
from pairquiz_server.client.topics import topics
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import play as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.doctor.outside.target import ANSWER_S, Target
from pairquiz_server.protocol.events import Welcome

DUEL_S = 25.0
QUESTIONS = 3
TIME_LIMIT_S = 10
CLOCK_S = 5
SLOW_MS = 500
NAME = "pairquiz-server doctor"
"""What a player of ours is called."""


class NotAdmitted(Exception):
    """A player is not let in; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.what)


class Played(Struct):
    """What a player has done, and how long each answer took (milliseconds)."""

    duel: Duel
    answers: list[float]


async def admitted(target: Target, token: str | None, name: str) -> tuple[Line, Welcome]:
    """Come in as a player. Raises `NotAdmitted`."""
    line = Line(target.url, token)
    try:
        if token is not None:
            await _proved(target, token)
        return line, await line.open()
    except Refusal as refusal:
        raise NotAdmitted(_refused(target, refusal, token, name)) from None
    except ClientError as error:
        raise NotAdmitted(faults.CONNECT_REFUSED.found(name, reason=error, code="no server", url=target.url)) from None


async def _proved(target: Target, token: str) -> None:
    """Ask by REST whether a token is taken: a socket whose token cannot be proved is just closed. Raises `Refusal`."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=ANSWER_S)) as http,
            http.get(f"{target.url}/api/me/", headers=headers) as answer,
        ):
            said = msgspec.json.decode(await answer.read())
    except (HttpError, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
        return  # what the socket says is more
    refusal = Refusal.found_in(said)
    if refusal is not None and refusal.code in ("unauthorized", "keys_unavailable"):
        raise refusal


async def look_at_duel(target: Target) -> Findings:
    """Yield what the server's clock shows, and whether two players come to the same end of a duel."""
    lines: list[Line] = []
    players: set[str] = set()
    try:
        for token in target.tokens:
            asked_at = time.time()
            line, welcome = await admitted(target, token, "duel")
            answered_at = time.time()
            lines.append(line)
            players.add(welcome.user_id)
        yield clock_found(welcome.server_time / 1000 - (asked_at + answered_at) / 2)
        if len(players) < len(lines):
            yield skipped("duel", "a duel needs two players: give --token twice, or JWT_SECRET")
            return
        async for finding in _played(target, lines):
            yield finding
    except NotAdmitted as reason:
        yield reason.finding
    finally:
        for line in lines:
            await line.close()


def clock_found(ahead_s: float) -> Finding:
    """Judge by how much the server's clock is ahead of this machine's."""
    if abs(ahead_s) > CLOCK_S:
        side = "ahead of" if ahead_s > 0 else "behind"
        return faults.SERVER_CLOCK.found("server clock", seconds=f"{abs(ahead_s):.0f}", side=side)
    return ok("server clock", f"within {CLOCK_S} s of this machine's")


async def _played(target: Target, lines: list[Line]) -> Findings:
    name = "duel"
    first, second = (Seat(line) for line in lines)
    try:
        async with asyncio.timeout(DUEL_S):
            work = _both(target, first, second)
            played = await beside(work, *(seat.listen() for seat in (first, second)), *(line.keep() for line in lines))
    except TimeoutError:
        where = "it was never opened" if first.duel is None else f"it is {first.duel.status}"
        yield faults.DUEL_HANGS.found(name, seconds=f"{DUEL_S:g}", where=where)
        return
    except Refusal as refusal:
        few = refusal.code == "not_enough_questions"
        fault = faults.QUESTIONS_FEW if few else faults.DUEL_REFUSED
        yield fault.found(name, reason=refusal, code=refusal.code)
        return
    except ClientError as error:
        yield faults.DUEL_REFUSED.found(name, reason=error, code="client")
        return
    if wrong := contradiction(*played):
        yield faults.DUEL_WRONG.found(name, what=wrong)
        return
    guests = "two guests" if target.tokens[0] is None else "two players"
    yield ok(name, f"{guests} have played {QUESTIONS} questions to the same end")
    yield pace_found([took for one in played for took in one.answers])


def pace_found(answers: list[float]) -> Finding:
    """Judge how long answers took until they were acknowledged (milliseconds)."""
    middle, worst = f"{median(answers):.0f}", f"{max(answers):.0f}"
    if median(answers) > SLOW_MS:
        return faults.ANSWERS_SLOW.found("answers", ms=middle, worst=worst)
    return ok("answers", f"acknowledged after {middle} ms in the median, {worst} ms at worst")


def contradiction(one: Played, other: Played) -> str | None:
    """Return in what the two ends of a duel are not as they were played, None where they are."""
    for mine, theirs in ((one, other), (other, one)):
        own, others = mine.duel.results, theirs.duel.results
        if own is None or others is None:
            return f"it is {mine.duel.status}, without results"
        if own.your_accuracy.answered != len(mine.answers):
            return f"{len(mine.answers)} answers were given, and {own.your_accuracy.answered} counted"
        if own.your_score != others.opponent_score:
            return f"a score is {own.your_score} for one and {others.opponent_score} for the other"
        if own.your_score != sum(question.your_points for question in own.questions):
            return "a score is not the sum of its points"
    return None


async def _both(target: Target, first: Seat, second: Seat) -> tuple[Played, Played]:
    if not target.lent:  # nobody else should meet what such players answer
        for seat in (first, second):
            await seat.set_profile(display_name=NAME, record_runs=False)
    duel = await first.create(await _wishes(target))
    await second.join({"session_id": duel.session_id})
    await first.start()
    return await asyncio.gather(_play(first), _play(second))


async def _wishes(target: Target) -> dict[str, Any]:
    """Return what to play: the topic with the most questions."""
    known = await topics(target.url)
    most = max(known, key=lambda topic: topic.questions, default=None)
    wishes = {"question_count": QUESTIONS, "time_limit": TIME_LIMIT_S}
    return wishes if most is None else wishes | {"topic": most.name}


async def _play(seat: Seat) -> Played:
    answers = []
    while question := await seat.next_question():
        began = time.perf_counter()
        await seat.answer(question, random.randrange(len(question.options)))  # noqa: S311 - no secret
        answers.append((time.perf_counter() - began) * 1000)
    return Played(await seat.until(lambda duel: duel.over), answers)


def _refused(target: Target, refusal: Refusal, token: str | None, name: str) -> Finding:
    if refusal.code == "unauthorized" and token is None:
        return skipped(name, "guests may not play there: give --token twice, or JWT_SECRET")
    if refusal.code == "unauthorized":
        return faults.TOKEN_REFUSED.found(name, reason=refusal)
    if refusal.code == "keys_unavailable":
        return faults.KEYS_AWAY.found(name, reason=refusal)
    return faults.CONNECT_REFUSED.found(name, reason=refusal, code=refusal.code, url=target.url)
