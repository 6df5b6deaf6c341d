"""One real duel from outside, in full: two players meet, answer, lose a line and come back, and compare results."""

import asyncio
import statistics
import time
from collections import Counter
from enum import StrEnum
from random import Random

import aiohttp
from aiohttp import ClientSession
from msgspec import Struct, field

from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.topics import topics
from pairquiz_server.loadtest.finding import Finding
from pairquiz_server.loadtest.pair import Pair, Terms, now_ms
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.table import Answered, Table
from pairquiz_server.loadtest.tally import LOST_LINE
from pairquiz_server.loadtest.wire import Transport, Wire
from pairquiz_server.probe.knock import knock

QUESTIONS = 5
TIME_LIMIT_S = 60
DUEL_S = 30.0
"""A duel that is not over by then has failed."""
RESULTS_S = 10.0
_NOT_LET_IN = "the probe needs the server's JWT_SECRET in its environment"


class Health(StrEnum):
    """How a duel went."""

    GOOD = "good"
    DEGRADED = "degraded"
    """It was played, and right; but it was slow, or something had to be asked again."""
    FAILED = "failed"
    """It could not be played, or something in it was wrong."""


class Probed(Struct, kw_only=True):
    """What was found. `phases` are seconds, by what they were spent on; `faults` are promises that were broken.

    `at` and `certificate_until` are seconds since the epoch.
    """

    url: str
    health: Health = Health.GOOD
    why: str = "all well"
    at: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    certificate_until: float | None = None
    faults: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    retries: int = 0

    def fail(self, why: str) -> None:
        """Take in why it has failed."""
        self.health, self.why = Health.FAILED, why


class Guests(Struct):
    """By what the two are the same ones again; None for who has not been there yet."""

    one: str | None = None
    other: str | None = None


class Users(Guests):
    """Two whose tokens somebody has signed: where these are not taken, nobody plays in their place."""


async def probe(url: str, guests: Guests, scale: Scale, *, slow_s: float) -> Probed:
    """Play a duel, and return what was found: never raises for what a server does. `guests` are kept up to date.

    An acknowledgement that takes longer than `slow_s` is a bad sign.
    """
    probed = Probed(url=url, at=time.time())
    begun_at = time.monotonic()
    try:
        async with asyncio.timeout(DUEL_S):
            await _probe(probed, guests, scale)
    except TimeoutError:
        probed.fail(f"the duel was not over within {DUEL_S:.0f} s")
    except ClientError as error:
        probed.fail(f"{error}: {_NOT_LET_IN}" if _is_unauthorized(error) else str(error))
    probed.phases["duel"] = time.monotonic() - begun_at
    if probed.health is Health.GOOD:
        _weigh(probed, slow_s)
    return probed


async def _probe(probed: Probed, guests: Guests, scale: Scale) -> None:
    knocked = await knock(probed.url)
    probed.phases |= {"dns": knocked.dns_s, "tcp": knocked.tcp_s}
    if knocked.tls_s is not None:
        probed.phases["tls"] = knocked.tls_s
    probed.certificate_until = knocked.certificate_until
    known = await topics(probed.url)
    if not known:
        raise ClientError(f"the server tells no topics: pairquiz-server doctor --url {probed.url}  says why")
    topic = max(known, key=lambda one: one.questions)
    terms = Terms(topic.name, min(QUESTIONS, topic.questions), time_limit=TIME_LIMIT_S, name="Probe")
    cookies, timeout = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with ClientSession(probed.url, cookie_jar=cookies, timeout=timeout) as web:
        book = _Book()
        pair = await _come_in(web, guests, terms, scale, book)
        try:
            await _play(pair, book, probed)
        finally:
            guests.one, guests.other = (player.token for player in pair.players)
            await pair.close()
            book.close(probed)


async def _come_in(web: ClientSession, guests: Guests, terms: Terms, scale: Scale, book: "_Book") -> Pair:
    """Connect both; a guest who is not known any more comes as a new one. Raises `ClientError`."""

    def connect(tokens: tuple[str | None, str | None]) -> Pair:
        return Pair(
            lambda hear, ended: Wire(web, Transport.WEBSOCKET, hear, ended),
            tokens,
            terms,
            scale,
            book,
            Random(),  # noqa: S311
        )

    try:
        return await _opened(connect((guests.one, guests.other)))
    except Refusal as refusal:
        if not _is_unauthorized(refusal) or guests.one is None or isinstance(guests, Users):
            raise
    return await _opened(connect((None, None)))


async def _opened(pair: Pair) -> Pair:
    """Connect both, or none: one alone would come back for ever. Raises `ClientError`."""
    try:
        await pair.open()
    except BaseException:
        await pair.close()
        raise
    return pair


def _is_unauthorized(error: ClientError) -> bool:
    return isinstance(error, Refusal) and error.code == "unauthorized"


async def _play(pair: Pair, book: "_Book", probed: Probed) -> None:
    first = pair.players[0]
    probed.phases |= {"handshake": first.handshake_s, "welcome": first.welcome_s}
    begun_at = time.monotonic()
    table = await pair.begin()
    probed.phases["start"] = time.monotonic() - begun_at
    half = table.turns_left // 2
    while table.turns_left:
        if table.turns_left == half:
            begun_at = time.monotonic()
            await pair.players[1].cut()
            probed.phases["return"] = time.monotonic() - begun_at
        pair.answer(table, now_ms())
        await book.until_acknowledged()
    begun_at = time.monotonic()
    await pair.finish(RESULTS_S)
    probed.phases["results"] = time.monotonic() - begun_at


class _Book:
    """The pair's desk: notes what one duel tells."""

    def __init__(self) -> None:
        self._acknowledged: list[float] = []
        self._told: list[float] = []
        self._troubles: Counter[str] = Counter()
        self._findings: list[Finding] = []
        self._news = asyncio.Event()

    async def until_acknowledged(self) -> None:
        """Wait until an answer is acknowledged, or refused."""
        await self._news.wait()
        self._news.clear()

    def offer(self, pair: Pair, table: Table) -> None:
        """A probe plays no more than one match."""

    def acknowledged(self, answer: Answered) -> None:
        """Note how long it took."""
        self._acknowledged.append((now_ms() - answer.due_ms) / 1000)
        self._news.set()

    def told(self, answer: Answered, at_ms: float) -> None:
        """Note how long it took."""
        self._told.append((at_ms - answer.due_ms) / 1000)

    def trouble(self, what: str) -> None:
        """Note what had to be asked again."""
        self._troubles[what] += 1

    def judged(self, table: Table | None, findings: list[Finding]) -> None:
        """Note what is wrong."""
        self._findings += findings
        self._news.set()

    def close(self, probed: Probed) -> None:
        """Write all of it down."""
        for name, times in (("acknowledgement", self._acknowledged), ("event", self._told)):
            if times:
                probed.phases[f"{name}_p50"] = statistics.median(times)
                probed.phases[f"{name}_max"] = max(times)
        self._troubles[LOST_LINE] -= 1  # the one that is cut on purpose
        probed.retries = sum((+self._troubles).values())
        probed.findings = self._findings
        probed.faults = dict(Counter(str(finding.fault) for finding in self._findings))


def _weigh(probed: Probed, slow_s: float) -> None:
    slowest = probed.phases.get("acknowledgement_max", 0.0)
    if probed.findings:
        probed.fail(f"{probed.findings[0].fault!s}: {probed.findings[0].text}")
    elif probed.retries:
        probed.health, probed.why = Health.DEGRADED, f"{probed.retries} times something had to be asked again"
    elif slowest > slow_s:
        probed.health, probed.why = Health.DEGRADED, f"an acknowledgement took {slowest:.2f} s"
