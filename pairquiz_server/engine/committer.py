"""The only place where a match changes: collect, decide, commit, and only then tell.

Commands that arrive while a batch is being written make the next batch (group commit). All answers and
announcements of a batch wait for its COMMIT, refusals too: they may rest on a change of the same batch.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import structlog
from msgspec import Struct

from pairquiz_server.engine import journal
from pairquiz_server.rules.commands import Command, CreateMatch
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.rows import Change

log = structlog.get_logger("pairquiz.committer")

MAX_CACHED_MATCHES = 50_000
MAX_ATTEMPTS = 10
MAX_BATCH = 2_000
"""One statement must stay far from the time at which the database is given up."""
MAX_QUEUED = 20_000
"""Who comes after so many is refused at once: waiting would end in the same, only later."""


class Collision(Struct, frozen=True):
    """A creation that was not written, because its join code or request id is taken."""


Outcome = Decision | Refused | Collision
Settle = Callable[[Outcome], None]
Announce = Callable[[Decision, object], None]
"""Tells players of a committed decision; the second argument is the command's origin, who has had its reply."""


Ready = Callable[[], Awaitable[None]]
"""Returns when commands may be decided; raises `StorageUnavailable`."""


async def always() -> None:
    """Nothing has to be waited for."""


class Submission:
    """A command on its way. `settle` hears its outcome exactly once."""

    __slots__ = ("arrived_at", "attempts", "command", "origin", "request", "settle")

    def __init__(
        self,
        command: Command,
        arrived_at: int,
        settle: Settle,
        origin: object = None,
        request: str | None = None,
    ) -> None:
        self.command = command
        self.arrived_at = arrived_at
        self.settle = settle
        self.origin = origin
        self.request = request
        self.attempts = 0


class _Batch:
    """What a batch has decided so far: the tentative matches, their first versions, and who waits for what."""

    def __init__(self, known: dict[UUID, Match], fresh: frozenset[UUID]) -> None:
        self.known = known
        self.fresh = fresh
        self.first_version: dict[UUID, int] = {}
        self.events: dict[UUID, list[Event]] = {}
        self.decided: list[tuple[Submission, Outcome]] = []
        self.deferred: dict[UUID, list[Submission]] = {}

    def decide(self, submission: Submission) -> None:
        match_id = submission.command.match_id
        if match_id in self.deferred:
            self.deferred[match_id].append(submission)  # its place behind the one that waits stays
            return
        before = self.known.get(match_id)
        outcome: Outcome
        try:
            outcome = decide(before, submission.command, submission.arrived_at)
        except Refused as refusal:
            outcome = refusal
        if isinstance(outcome, Decision) and outcome.events:
            self.first_version.setdefault(match_id, before.version if before else 0)
            self.events.setdefault(match_id, []).extend(outcome.events)
            self.known[match_id] = outcome.match
        elif before is not None and match_id not in self.fresh and match_id not in self.first_version:
            # Decided from memory, and no write will tell whether another node knows better: read, and decide again.
            self.deferred[match_id] = [submission]
            return
        self.decided.append((submission, outcome))

    def changes(self) -> list[Change]:
        return [
            Change(version, self.known[match_id], tuple(self.events[match_id]))
            for match_id, version in self.first_version.items()
        ]


class Committer:
    """Carries out commands in batches. `pace_s` is the least time between the starts of two batches."""

    def __init__(self, matches: Matches, announce: Announce, *, pace_s: float, ready: Ready = always) -> None:
        self._ready = ready
        self._matches = matches
        self._announce = announce
        self._pace_s = pace_s
        self._queue: deque[Submission] = deque()
        self._cache: OrderedDict[UUID, Match] = OrderedDict()
        self._wake = asyncio.Event()
        self._stopping = False

    def submit(self, submission: Submission) -> None:
        """Take a command; `submission.settle` is called when it is committed or refused."""
        if self._stopping:
            submission.settle(Refused(Code.DRAINING))
            return
        if len(self._queue) >= MAX_QUEUED:
            submission.settle(Refused(Code.STORAGE_UNAVAILABLE))
            return
        self._queue.append(submission)
        self._wake.set()

    async def ask(self, command: Command, arrived_at: int) -> Decision | Collision:
        """Submit a command that has no origin, and return its outcome. Raises `Refused`."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if not answer.done():  # whoever asked may have gone; the command stands
                answer.set_result(outcome)

        self.submit(Submission(command, arrived_at, settle))
        outcome = await answer
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def cached(self, match_id: UUID) -> Match | None:
        """Return a live match as this process knows it; another node may know better."""
        return self._cache.get(match_id)

    async def run(self) -> None:
        """Work until `stop`, and then until nothing is left."""
        loop = asyncio.get_running_loop()
        last_began = float("-inf")
        while not (self._stopping and not self._queue):
            await self._wake.wait()
            if not self._stopping and (rest := last_began + self._pace_s - loop.time()) > 0:
                await asyncio.sleep(rest)
            self._wake.clear()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            last_began = loop.time()
            if batch:
                self._queue.extendleft(reversed(await self._carry_out(batch)))
            if self._queue:
                self._wake.set()

    def forget(self, ids: Iterable[UUID]) -> None:
        """Drop matches that somebody else has changed: the next command reads them."""
        for match_id in ids:
            self._cache.pop(match_id, None)

    def stop(self) -> None:
        """Refuse what comes from now on (`draining`); `run` returns when all that came before is done."""
        self._stopping = True
        self._wake.set()

    def refuse_queued(self) -> None:
        """Refuse what nobody has begun to write (`draining`), for a `run` that was cancelled."""
        queued = list(self._queue)
        self._queue.clear()
        self._fail(queued, Code.DRAINING)

    async def _carry_out(self, submissions: list[Submission]) -> list[Submission]:
        """Decide, write and tell; return those that have to be decided again, in their order."""
        started = asyncio.get_running_loop().time()
        try:
            await self._ready()
            batch = await self._read(submissions)
            for submission in submissions:
                batch.decide(submission)
            changes = batch.changes()
            stuck = await self._matches.save(changes) if changes else frozenset()
        except StorageUnavailable as error:
            log.warning("batch_failed", size=len(submissions), reason=str(error))
            self._fail(submissions, Code.STORAGE_UNAVAILABLE)
            return []
        except Exception:
            # A fault of ours, or a value that PostgreSQL does not take: it must not hurt the others of the batch.
            if len(submissions) > 1:
                await self._carry_out_apart(submissions)
            else:
                log.exception("command_failed", command=type(submissions[0].command).__name__)
                self._fail(submissions, Code.INTERNAL)
            return []
        self._remember(batch, stuck)
        again = self._settle(batch, stuck)
        spent = asyncio.get_running_loop().time() - started
        log.debug(
            "batch_committed",
            size=len(submissions),
            moved=len(changes) - len(stuck),
            ms=round(spent * 1000, 1),
        )
        return again

    async def _carry_out_apart(self, submissions: list[Submission]) -> None:
        """Carry out two halves, the first to its end before the second begins: commands keep their order."""
        middle = len(submissions) // 2
        for half in (submissions[:middle], submissions[middle:]):
            waiting = half
            while waiting:
                waiting = await self._carry_out(waiting)

    async def _read(self, submissions: Iterable[Submission]) -> _Batch:
        known: dict[UUID, Match] = {}
        missing: set[UUID] = set()
        for submission in submissions:
            match_id = submission.command.match_id
            if isinstance(submission.command, CreateMatch):
                continue
            if match_id in self._cache:
                self._cache.move_to_end(match_id)
                known[match_id] = self._cache[match_id]
            else:
                missing.add(match_id)
        if missing:
            known |= await self._matches.load(list(missing))
        return _Batch(known, frozenset(missing))

    def _remember(self, batch: _Batch, stuck: frozenset[UUID]) -> None:
        for match_id, match in batch.known.items():
            if match_id in stuck or match_id in batch.deferred or match.status not in LIVE:
                self._cache.pop(match_id, None)
            else:
                self._cache[match_id] = match
        while len(self._cache) > MAX_CACHED_MATCHES:
            self._cache.popitem(last=False)

    def _settle(self, batch: _Batch, stuck: frozenset[UUID]) -> list[Submission]:
        """Tell what stands, and return what has to be decided again, in its order."""
        again: list[Submission] = []
        for submission, outcome in batch.decided:
            if submission.command.match_id not in stuck:
                self._tell(submission, outcome)
            elif isinstance(submission.command, CreateMatch):
                self._tell(submission, Collision())
            else:
                again.append(submission)
        for waiting in batch.deferred.values():
            again.extend(waiting)
        for submission in again:
            submission.attempts += 1
        self._fail([one for one in again if one.attempts >= MAX_ATTEMPTS], Code.STORAGE_UNAVAILABLE)
        return [one for one in again if one.attempts < MAX_ATTEMPTS]

    def _fail(self, submissions: list[Submission], code: Code) -> None:
        for submission in submissions:
            self._cache.pop(submission.command.match_id, None)  # what it holds is not what the database holds
            self._tell(submission, Refused(code))

    def _tell(self, submission: Submission, outcome: Outcome) -> None:
        """Answer the one who asked, then tell all others. A fault of theirs hurts nobody else."""
        log.debug(
            "command_settled",
            command=type(submission.command).__name__,
            session_id=str(submission.command.match_id),
            request=submission.request,
            outcome=outcome.code if isinstance(outcome, Refused) else type(outcome).__name__,
        )
        try:
            submission.settle(outcome)
        except Exception:
            log.exception("reply_failed", command=type(submission.command).__name__)
        if isinstance(outcome, Decision) and outcome.events:
            try:
                self._announce(outcome, submission.origin)
            except Exception:
                log.exception("announcement_failed", command=type(submission.command).__name__)
            journal.record(outcome, submission.request)
