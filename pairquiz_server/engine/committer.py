"""The only place where a match changes: collect, decide, commit, and only then tell.

Commands that arrive while a batch is being written make the next batch (group commit). All answers and
announcements of a batch wait for its COMMIT, refusals too: they may rest on a change of the same batch.

Where the database does not answer, nobody waits longer than `PATIENCE_S`. A command that was refused so and turns out
to be committed is announced to everybody, its sender included; one that is not committed is not carried out any more.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID, uuid4

import structlog

from pairquiz_server import logs
from pairquiz_server.engine.batch import Batch
from pairquiz_server.engine.rhythm import Rhythm
from pairquiz_server.engine.submission import Announce, Collision, Outcome, Submission, Told, Watch
from pairquiz_server.engine.telling import Settled, Telling
from pairquiz_server.engine.waiting import PATIENCE_S, Waiting
from pairquiz_server.engine.writing import RETRY_PAUSE_S, Writing
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.commands import CREATIONS, Command
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable

log = structlog.get_logger("pairquiz.committer")

MAX_CACHED_MATCHES = 50_000
MAX_BATCH = 2_000
"""One statement must stay far from the time at which the database is given up."""
MAX_QUEUED = 20_000
"""So much waits at most; the oldest, who has least patience left, makes room for the next."""
STOP_S = 1.8
"""How long stopping takes at most: longer than a statement may, shorter than the drain lets us."""


Ready = Callable[[], Awaitable[None]]
"""Returns when commands may be decided; raises `StorageUnavailable`."""


async def always() -> None:
    """Nothing has to be waited for."""


def nobody(decision: Decision) -> None:
    """Hear of nothing."""


class Committer:
    """Carries out commands in batches. `pace_s` is the least time between the starts of two batches."""

    def __init__(
        self,
        matches: Matches,
        announce: Announce,
        *,
        pace_s: float,
        watch: Watch = nobody,
        ready: Ready = always,
        node: UUID | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._matches = matches
        self._rhythm = Rhythm(pace_s)
        self._ready = ready
        self._writing = Writing(matches, node or uuid4())
        self._metrics = metrics or Metrics()
        self._telling = Telling(announce, watch, self._metrics)
        self._queue: deque[Submission] = deque()
        self._waiting = Waiting(self._refuse)
        self._cache: OrderedDict[str, Match] = OrderedDict()
        self.knows = self._cache.__contains__
        """Tells whether a live match of this id is in memory."""
        self._forgotten: set[str] = set()
        self._stop_at: float | None = None
        self._limit: asyncio.Timeout | None = None
        self._metrics.queued_commands.read = lambda: len(self._queue)
        self._metrics.queued_commands_age_seconds.read = lambda: self._waiting.longest_s
        self._metrics.cached_matches.read = lambda: len(self._cache)

    def submit(self, submission: Submission) -> None:
        """Take a command; `submission.settle` is called when it is committed or refused."""
        if self._stop_at is not None:
            self._telling.one(submission, Refused(Code.DRAINING))
            return
        if not self._matches.available or self._writing.lost_for_s > PATIENCE_S:
            self._refuse(submission)
            return
        queue = self._queue
        if not queue:
            self._rhythm.want()
        elif len(queue) >= MAX_QUEUED:
            self._refuse(queue.popleft())
        self._waiting.begin(submission)
        queue.append(submission)

    async def ask(self, command: Command, arrived_at: int) -> Decision | Collision:
        """Submit a command that has no origin, and return its outcome. Raises `Refused`."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if not answer.done():  # whoever asked may have gone; the command stands
                answer.set_result(outcome)

        self.submit(Told(command=command, arrived_at=arrived_at, tell=settle))
        outcome = await answer
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def cached(self, match_id: str) -> Match | None:
        """Return a live match as this process knows it; another node may know better."""
        return self._cache.get(match_id)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop matches from memory: they have been moved by another way."""
        for match_id in ids:
            self._cache.pop(match_id, None)
            self._forgotten.add(match_id)

    async def known(self) -> None:
        """Wait until it is known what became of the last batch that was begun; it is told before this returns."""
        await self._writing.known()
        self._telling.rest()

    async def run(self) -> None:
        """Work until `stop`, and then until nothing is left, or nobody waits for it any more."""
        limit = self._limit = asyncio.timeout_at(self._stop_at)
        try:
            async with limit:
                await self._work()
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("stopped_at_work")
            self._waiting.refuse_all()
        finally:
            self._limit = None
            self._waiting.end()

    def stop(self) -> None:
        """Refuse what comes from now on (`draining`); `run` returns when all that came before is done.

        That takes no longer than `STOP_S`: what is left then is refused.
        """
        if self._stop_at is None:
            self._stop_at = asyncio.get_running_loop().time() + STOP_S
            if self._limit is not None:
                self._limit.reschedule(self._stop_at)
        self._rhythm.hurry()

    async def _work(self) -> None:
        while self._stop_at is None or self._queue:
            await self._rhythm.next()
            self._waiting.clear()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            if batch:  # else it was only hurried
                self._queue.extendleft(reversed(await self._carry_out(batch)))
            if self._queue:
                self._rhythm.want()

    def refuse_queued(self) -> None:
        """Refuse what nobody has begun to write (`draining`), for a `run` that was cancelled."""
        queued = list(self._queue)
        self._queue.clear()
        self._fail(queued, Code.DRAINING)

    async def _carry_out(self, submissions: list[Submission]) -> list[Submission]:
        """Decide, write and tell; return those that have to be decided again, in their order."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._forgotten.clear()
        try:
            batch = await self._read(submissions)
            submissions = _unsettled(submissions)
            for submission in submissions:
                batch.decide(submission)
            changes = batch.changes
            stuck = await self._writing.save(changes.values()) if changes else frozenset()
        except Exception:
            # A fault of ours, or a value that PostgreSQL does not take: it must not hurt the others of the batch.
            self._telling.rest()
            if len(submissions) > 1:
                await self._carry_out_apart(submissions)
            else:
                log.exception("command_failed", command=type(submissions[0].command).__name__)
                self._fail(submissions, Code.INTERNAL)
            return []
        spent = loop.time() - started
        self._telling.rest()  # of the batch before, where this one had nothing to wait for
        if stuck is None:
            self.forget(batch.known)
            return _unsettled(submissions)
        self._remember(batch, stuck)
        if self._queue and self._rhythm.due and not stuck and not batch.deferred:
            # While PostgreSQL writes the next batch there is time to tell of this one.
            self._telling.keep(batch.decided)
            again: list[Submission] = []
        else:
            again = self._settle(batch, stuck)
        self._metrics.batch_commands.observe(len(submissions))
        self._metrics.commit_seconds.observe(spent)
        if logs.debugging():
            moved = len(changes) - len(stuck)
            log.debug("batch_committed", size=len(submissions), moved=moved, ms=round(spent * 1000, 1))
        return again

    async def _carry_out_apart(self, submissions: list[Submission]) -> None:
        """Carry out two halves, the first to its end before the second begins: commands keep their order."""
        middle = len(submissions) // 2
        for half in (submissions[:middle], submissions[middle:]):
            waiting = half
            while waiting:
                waiting = await self._carry_out(waiting)

    async def _read(self, submissions: Sequence[Submission]) -> Batch:
        """Return what a batch starts from; empty where the database was away until nobody waited any more."""
        while submissions:
            try:
                await self._ready()
                return await self._read_now(submissions)
            except StorageUnavailable as error:
                log.debug("batch_not_read", size=len(submissions), reason=str(error))
                await asyncio.sleep(RETRY_PAUSE_S)
            submissions = _unsettled(submissions)
        return Batch({}, frozenset())

    async def _read_now(self, submissions: Iterable[Submission]) -> Batch:
        cache = self._cache
        wanted = {submission.command.match_id for submission in submissions}
        known = {match_id: cache[match_id] for match_id in wanted if match_id in cache}
        if len(known) == len(wanted):
            return Batch(known, frozenset())
        missing = {one.command.match_id for one in submissions if not isinstance(one.command, CREATIONS)}
        missing -= known.keys()
        if missing:
            known |= await self._matches.load(list(missing))
        return Batch(known, frozenset(missing))

    def _remember(self, batch: Batch, stuck: frozenset[str]) -> None:
        cache = self._cache
        moved_elsewhere = {*stuck, *batch.deferred, *self._forgotten}
        for match_id, match in batch.known.items():
            if match.status not in LIVE or match_id in moved_elsewhere:
                cache.pop(match_id, None)
            else:
                cache[match_id] = match
                cache.move_to_end(match_id)
        while len(cache) > MAX_CACHED_MATCHES:
            cache.popitem(last=False)

    def _settle(self, batch: Batch, stuck: frozenset[str]) -> list[Submission]:
        """Tell what stands, and return what has to be decided again, in its order."""
        if not stuck and not batch.deferred:
            self._telling.all(batch.decided)
            return []
        again: list[Submission] = []
        stands: Settled = []
        for submission, outcome in batch.decided:
            if submission.command.match_id not in stuck:
                stands.append((submission, outcome))
            elif isinstance(submission.command, CREATIONS):
                stands.append((submission, Collision()))
            else:
                again.append(submission)
        self._telling.all(stands)
        for waiting in batch.deferred.values():
            again.extend(waiting)
        return _unsettled(again)  # however often others were faster: nobody waits for longer than `PATIENCE_S`

    def _fail(self, submissions: list[Submission], code: Code) -> None:
        for submission in submissions:
            self._cache.pop(submission.command.match_id, None)  # what it holds is not what the database holds
            self._telling.one(submission, Refused(code))

    def _refuse(self, submission: Submission) -> None:
        if not submission.settled:
            self._telling.one(submission, Refused(Code.STORAGE_UNAVAILABLE))


def _unsettled(submissions: Iterable[Submission]) -> list[Submission]:
    return [submission for submission in submissions if not submission.settled]
