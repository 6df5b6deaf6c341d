"""A player's seat: the line to the server, and the match that is played over it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

from pairquiz_server.client.beside import first_of
from pairquiz_server.client.clock import ServerClock, monotonic_ms
from pairquiz_server.client.duel import Duel, after, is_news, missed, of_state
from pairquiz_server.client.errors import Refusal
from pairquiz_server.client.hearing import Heard
from pairquiz_server.client.line import BACK, Line
from pairquiz_server.protocol.events import OpponentFound, QuestionView, QuizState, Session

CLOCK_QUESTIONS = 3
PASSED_BY = frozenset({"too_late", "wrong_state", "already_answered", "unknown_question"})
"""Why an answer is refused that came when the match was further on already."""

T = TypeVar("T")
Tell = Callable[[Heard, Duel | None, Duel | None], None]
"""Is called with each event, and the match before and after it."""


class Seat:
    """Plays one match at a time. `listen` has to run beside all else."""

    def __init__(
        self, line: Line, tell: Tell = lambda heard, before, now: None, clock: ServerClock | None = None
    ) -> None:
        self._line = line
        self._tell = tell
        self.clock = clock or ServerClock()
        self.duel: Duel | None = None
        self._session_id: str | None = None
        self._search: Mapping[str, Any] | None = None
        self._changed = asyncio.Event()

    async def listen(self) -> NoReturn:
        """Take what the server tells. Raises `ClientError`."""
        await self.read_clock()
        while True:
            heard = await self._line.heard()
            if heard.name == BACK:
                await self._catch_up()
            before = self.duel
            unseen = self._take(heard)
            self._tell(heard, before, self.duel)
            if unseen:
                await self._see(unseen)

    async def create(self, wishes: Mapping[str, Any]) -> Duel:
        """Open a match that waits for somebody. Raises `Refusal`."""
        answer = await self._line.ask("create_pair_quiz", {**wishes, "request_id": uuid4().hex})
        return await self.resume(answer["session_id"])

    async def join(self, invitation: Mapping[str, str]) -> Duel:
        """Take the second seat of a match: by `join_code` or `session_id`. Raises `Refusal`."""
        answer = await self._line.ask("join_pair_quiz", invitation)
        return await self.resume(answer["session_id"])

    async def accept(self, challenge_code: str) -> Duel:
        """Play against a recorded run. Raises `Refusal`."""
        answer = await self._line.ask("accept_challenge", {"challenge_code": challenge_code})
        return await self.resume(answer["session_id"])

    async def find(self, wishes: Mapping[str, Any]) -> Duel:
        """Look for somebody until there is one. Raises `Refusal`."""
        self._search = wishes
        await self._line.ask("find_opponent", wishes)
        return await self.until(lambda duel: True)

    async def give_up_search(self) -> None:
        """Look for nobody any more."""
        self._search = None
        await self._line.ask("cancel_find_opponent", {})

    async def resume(self, session_id: str) -> Duel:
        """Take a match as it is now, and follow it. Raises `Refusal`."""
        await self._see(session_id)
        return await self.until(lambda duel: duel.session_id == session_id)

    async def start(self) -> None:
        """Begin the match, if nobody has done so."""
        with suppress(Refusal):  # it is over, or the other has left: an event says so
            await self._line.ask("start_quiz", self._here())

    async def answer(self, question: QuestionView, option: int) -> None:
        """Answer a question of the match, once and for all."""
        payload = {**self._here(), "question_id": question.id, "answer": option}
        try:
            await self._line.ask("submit_answer", payload, heard_as="answer_submitted")
        except Refusal as refusal:
            if refusal.code not in PASSED_BY:
                raise
            if self.duel is not None:
                self._become(missed(self.duel, question.id))
        else:
            await self.until(lambda duel: duel.over or question.id in duel.answered)

    async def complete(self) -> None:
        """Answer nothing more."""
        here = self._here()
        with suppress(Refusal):
            await self._line.ask("quiz_completed", here)
            await self._see(here["session_id"])

    async def leave(self) -> None:
        """Give up."""
        with suppress(Refusal):
            await self._line.ask("leave_pair_quiz", self._here())

    async def leave_other(self, session: Session) -> None:
        """Give up a match that is not played here."""
        with suppress(Refusal):
            await self._line.ask("leave_pair_quiz", {"session_id": session.session_id})

    async def set_profile(self, **profile: Any) -> None:
        """Change one's name, or whether runs may be recorded. Raises `Refusal`."""
        await self._line.ask("set_profile", profile)

    async def until(self, holds: Callable[[Duel], bool]) -> Duel:
        """Return the match as soon as something holds of it."""
        while self.duel is None or not holds(self.duel):
            await self._changed.wait()
        return self.duel

    async def next_question(self) -> QuestionView | None:
        """Wait for a question that may be answered, and return it; None once the match is over."""
        while True:
            duel = await self.until(lambda duel: duel.over or duel.question is not None)
            question = duel.question
            if question is None:
                return None
            if not (duel.in_rounds and duel.round is not None):
                return question
            wait_s = self.clock.seconds_until(duel.round.reveal_at)
            if not wait_s:
                return question
            await self.while_open(question, asyncio.sleep(wait_s))

    async def while_open(self, question: QuestionView, work: Awaitable[T]) -> T | None:
        """Return what the work gives, or None as soon as the question cannot be answered any more."""
        return await first_of(work, self.until(lambda duel: duel.question != question))

    async def read_clock(self) -> None:
        """Ask what the server's clock shows."""
        self.clock.forget()
        for _ in range(CLOCK_QUESTIONS):
            asked_at = monotonic_ms()
            said = await self._line.ask("sync_clock", {"client_time": round(asked_at)})
            self.clock.heard(said["server_time"], asked_at=asked_at, answered_at=monotonic_ms())

    def _here(self) -> dict[str, str]:
        assert self._session_id is not None  # there is a match
        return {"session_id": self._session_id}

    async def _see(self, session_id: str) -> None:
        self._session_id = session_id
        await self._line.ask("resume_pair_quiz", {"session_id": session_id}, heard_as="quiz_state")

    async def _catch_up(self) -> None:
        """After a connection was lost: the clock may be another's, and a search ended with the connection."""
        await self.read_clock()
        if self._session_id is not None:
            await self._see(self._session_id)
        elif self._search is not None:
            await self._line.ask("find_opponent", self._search)

    def _take(self, heard: Heard) -> str | None:
        """Make of an event what it says; return the session of which a state is needed, None where none is."""
        event = heard.event
        if isinstance(event, OpponentFound) and self._search is not None:
            self._search = None
            return event.session_id
        session_id: str | None = getattr(event, "session_id", None)
        if event is None or session_id is None or session_id != self._session_id:
            return None
        if isinstance(event, QuizState):
            if self.duel is None or self.duel.session_id != session_id or event.version >= self.duel.version:
                self._become(of_state(event))
            return None
        version: int | None = getattr(event, "version", None)
        if self.duel is None or version is None or not is_news(self.duel, version):
            return None
        if version > self.duel.version + 1:  # something was missed: a state has all of it
            return session_id
        self._become(after(self.duel, event))
        return None

    def _become(self, duel: Duel) -> None:
        self.duel = duel
        self._changed.set()
        self._changed = asyncio.Event()


def live(sessions: list[Session]) -> Session | None:
    """Return the match that one should go on with: one that runs before one that waits, None where there is none."""
    order = ("in_progress", "ready", "waiting")
    found = [session for session in sessions if session.status in order]
    return min(found, key=lambda session: order.index(session.status), default=None)
