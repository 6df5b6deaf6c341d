"""Two players who play one match after the other, and always have the next one ready."""

import asyncio
import time
from functools import partial
from random import Random
from typing import Protocol
from uuid import uuid4

from msgspec import Struct

from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.hearing import read
from pairquiz_server.loadtest.finding import Fault, Finding
from pairquiz_server.loadtest.player import Answer, Connect, Player
from pairquiz_server.loadtest.referee import judge
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.table import Answered, Table
from pairquiz_server.protocol.events import Completed, OpponentAnswer, OwnAnswer, QuizStarted, QuizState

SPARE_TURNS = 12
"""So many answers before a match is used up the next one is made."""
LIVE_MAX = 8
"""Of matches whose results are still to come a pair has no more than this; servers allow 20."""
LATE_S = 1.0
"""How long a match is listened to after its results: what is told twice comes late."""
TIME_LIMIT_S = 300


class Terms(Struct, frozen=True):
    """What is played, and under which name."""

    topic: str
    question_count: int
    scoring: str = "speed_bonus"
    time_limit: int = TIME_LIMIT_S
    name: str = "Load test"


class Desk(Protocol):
    """Where all pairs report to."""

    def offer(self, pair: "Pair", table: Table) -> None:
        """Take a match in which answers can be given."""

    def acknowledged(self, answer: Answered) -> None:
        """Count an answer that was acknowledged."""

    def told(self, answer: Answered, at_ms: float) -> None:
        """Count an answer of which the opponent has heard."""

    def trouble(self, what: str) -> None:
        """Count something that went wrong, and may be mended by itself."""

    def judged(self, table: Table | None, findings: list[Finding]) -> None:
        """Take in what is wrong with a match that is done with, or with no match at all."""


class Pair:
    """A pair of players; their owner, as far as they are told something."""

    def __init__(
        self,
        connect: Connect,
        tokens: tuple[str | None, str | None],
        terms: Terms,
        scale: Scale,
        desk: Desk,
        chance: Random,
    ) -> None:
        self.players = (Player(connect, tokens[0], self, 0), Player(connect, tokens[1], self, 1))
        self._terms = terms
        self._scale = scale
        self._desk = desk
        self._chance = chance
        self._tables: dict[str, Table] = {}
        self._changed = asyncio.Event()
        self._ending = False

    async def open(self) -> None:
        """Connect both, who are nobody's ghosts, and in no match that is left over. Raises `NoServer`, `Refusal`."""
        for player in self.players:
            welcome = await player.open()
            for left_over in welcome.sessions:
                await player.asked("leave_pair_quiz", {"session_id": left_over.session_id}, Struct)
            await player.asked("set_profile", {"display_name": self._terms.name, "record_runs": False}, Struct)

    async def play(self) -> None:
        """Make one match after the other, each before the last one is used up. Raises `Refusal`."""
        while not self._ending:
            table = await self.begin()
            self._desk.offer(self, table)
            while not self._ending and (table.turns_left > SPARE_TURNS or self._live() >= LIVE_MAX):
                self._changed.clear()
                await self._changed.wait()

    def stop(self) -> None:
        """Make no more matches; one that is being made is begun."""
        self._ending = True
        self._changed.set()

    async def begin(self) -> Table:
        """Make a match, and begin it. Raises `Refusal`."""
        one, other = self.players
        made = await one.asked("create_pair_quiz", {**_as_json(self._terms), "request_id": uuid4().hex}, _Session)
        here = {"session_id": made.session_id}
        table = self._tables[made.session_id] = Table(made.session_id)
        await other.asked("join_pair_quiz", here, _Session)
        asked_ms = now_ms()
        started = await one.asked("start_quiz", here, QuizStarted)
        table.begin(started, asked_ms=asked_ms, told_ms=now_ms())
        return table

    def answer(self, table: Table, due_ms: float) -> None:
        """Give the next answer of a match; it was due before."""
        turn = table.next_turn()
        option = self._chance.randrange(len(turn.question.options))
        answer = Answered(option, due_ms, now_ms())
        table.sides[turn.seat].answers[turn.question.id] = answer
        payload = {"session_id": table.session_id, "question_id": turn.question.id, "answer": option}
        self.players[turn.seat].ask(
            "submit_answer",
            payload,
            partial(self._acknowledged, table, turn.seat, answer),
            partial(self._refused, table, "submit_answer"),
        )
        if table.turns_left <= SPARE_TURNS:
            self._changed.set()

    async def finish(self, patience_s: float) -> None:
        """Complete what is not played to its end, wait for results, and judge all; there is no `play` any more."""
        for table in list(self._tables.values()):
            if table.begun and table.turns_left:
                for seat in (0, 1):
                    self._complete(table, seat)
        try:
            async with asyncio.timeout(patience_s):
                while self._live() or any(side.unacknowledged for table in self._open() for side in table.sides):
                    self._changed.clear()
                    await self._changed.wait()
                await asyncio.sleep(min(LATE_S, patience_s) / 4)
        except TimeoutError:
            pass
        for table in self._open():
            self._judge(table)
        silent = {command for player in self.players for command in player.unanswered()} - {"submit_answer"}
        for command in sorted(silent):
            self._desk.judged(None, [Finding(Fault.UNACKNOWLEDGED, "", f"{command} was never answered")])

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(*(player.close() for player in self.players))

    def unacknowledged(self) -> list[Answered]:
        """Return the answers that nothing came back for, so far."""
        return [answer for table in self._open() for _, _, answer in table.answers() if answer.own is None]

    def heard(self, seat: int, name: str, event: Struct) -> None:
        """Take in what a player was told."""
        table = self._tables.get(getattr(event, "session_id", ""))
        if table is None:  # one that is judged, or that was never ours
            return
        was_over = table.over
        table.hear(seat, name, event)
        if isinstance(event, OpponentAnswer):
            answer = table.sides[1 - seat].answers.get(event.question_id)
            if answer is not None:
                self._desk.told(answer, now_ms())
        elif table.over and not was_over:
            self._changed.set()
            asyncio.get_running_loop().call_later(LATE_S, self._judge, table)

    def trouble(self, what: str) -> None:
        """Count it where all pairs report to."""
        self._desk.trouble(what)

    def malformed(self, text: str) -> None:
        """Take in that something cannot be understood."""
        self._desk.judged(None, [Finding(Fault.MALFORMED, "", text)])

    def line_lost(self, seat: int) -> None:
        """Take in that a player's connection was lost."""
        for table in self._open():
            table.lose_line(seat)

    def line_back(self, seat: int) -> None:
        """Ask for what a player has missed."""
        for table in self._open():
            if not table.sides[seat].results:
                here = {"session_id": table.session_id}
                self.players[seat].ask(
                    "resume_pair_quiz",
                    here,
                    partial(self._resumed, seat),
                    partial(self._refused, table, "resume_pair_quiz"),
                )

    def _complete(self, table: Table, seat: int) -> None:
        def completed(said: Answer) -> None:
            try:
                table.hear(seat, "own completion", read(said, Completed, "quiz_completed"))
            except ClientError as error:
                self.malformed(f"the acknowledgement of quiz_completed ({error}): {said}")

        refused = partial(self._refused, table, "quiz_completed")
        self.players[seat].ask("quiz_completed", {"session_id": table.session_id}, completed, refused)

    def _acknowledged(self, table: Table, seat: int, answer: Answered, said: Answer) -> None:
        try:
            table.acknowledged(seat, read(said, OwnAnswer, "submit_answer"), now_ms())
        except (ClientError, KeyError) as error:
            self.malformed(f"the acknowledgement of an answer ({error}): {said}")
            return
        self._desk.acknowledged(answer)
        if table.over:
            self._changed.set()

    def _resumed(self, seat: int, said: Answer) -> None:
        try:
            self.heard(seat, "quiz_state", read(said, QuizState, "quiz_state"))
        except ClientError as error:
            self.malformed(f"quiz_state ({error})")

    def _refused(self, table: Table, command: str, refusal: Refusal) -> None:
        self._desk.judged(None, [Finding(Fault.REFUSED, table.session_id, f"{command}: {refusal.code}: {refusal}")])

    def _open(self) -> list[Table]:
        return list(self._tables.values())

    def _live(self) -> int:
        return sum(not table.over for table in self._tables.values())

    def _judge(self, table: Table) -> None:
        if self._tables.pop(table.session_id, None) is not None and table.begun:
            self._changed.set()
            self._desk.judged(table, judge(table, self._scale))


class _Session(Struct):
    session_id: str


def now_ms() -> float:
    """Return the time in milliseconds, by a clock that no step moves."""
    return time.monotonic() * 1000


def _as_json(terms: Terms) -> dict[str, object]:
    return {"topic": terms.topic, "question_count": terms.question_count, "scoring": terms.scoring,
            "time_limit": terms.time_limit}  # fmt: skip
