"""A duel as plain lines: for a pipe, a log, and a screen reader. No control characters, and nothing twice."""

from collections.abc import Callable

from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard
from pairquiz_server.client.line import BACK, LOST
from pairquiz_server.protocol.events import (
    Completed,
    OpponentAnswer,
    OpponentDisconnected,
    OpponentSearch,
    OwnAnswer,
    QuestionView,
    RoundClosed,
    SessionDelayed,
)
from pairquiz_server.terminal import results, words


class Lines:
    """Says each thing once, as a line."""

    def __init__(self, write: Callable[[str], None], url: str, clock: ServerClock) -> None:
        self._write = write
        self._url = url
        self._clock = clock

    def hear(self, heard: Heard, before: Duel | None, now: Duel | None) -> None:
        """Say what has happened."""
        if heard.name in (LOST, BACK):
            lost = "The connection is lost: coming back, and nothing that was answered is lost."
            self._write(lost if heard.name == LOST else "The connection is back.")
        if isinstance(heard.event, OpponentSearch):
            self._write(f"Looking for somebody: {heard.event.waited_ms // 1000} s so far.")
        if now is None:
            return
        if before is None or before.status != now.status:
            self._say_status(now)
        if before is not None:
            self._say_event(heard, now)

    def asks(self, question: QuestionView, duel: Duel) -> None:
        """Show a question and its options."""
        at = duel.round.closes_at if duel.in_rounds and duel.round is not None else duel.deadline_at
        left = "" if at is None else f", {words.clock(self._clock.seconds_until(at))} left"
        self._write(f"Question {duel.place_of(question)} of {duel.question_count}{left}: {words.shown(question.text)}")
        for number, option in enumerate(question.options, 1):
            self._write(f"  {number}  {words.shown(option)}")

    def says(self, sentence: str) -> None:
        """Say a sentence."""
        self._write(sentence)

    def draw(self) -> None:
        """Say nothing: time alone is no news."""

    def close(self, duel: Duel | None) -> None:
        """Say how it has ended."""
        if duel is None or not duel.over:
            return
        if duel.results is None:
            self._write(words.expiry(duel))
            return
        for line in results.lines(duel):
            self._write(line)
        self._write(words.outcome(duel.results))

    def _say_status(self, duel: Duel) -> None:
        if duel.status == "waiting":
            self._write(f"Waiting for somebody: {words.terms(duel)}.")
            self._write(f"They come by the code {duel.join_code}, or by {words.link(duel, self._url)}")
            self._write(f"In a terminal: {words.invitation(duel, self._url)}")
        elif duel.status == "ready":
            soon = "" if duel.starts_at is None else " The duel starts by itself."
            self._write(f"You play against {words.name_of(duel.opponent)}: {words.terms(duel)}.{soon}")
        elif duel.status == "in_progress":
            self._write(f"The duel runs, against {words.name_of(duel.opponent)}.")

    def _say_event(self, heard: Heard, duel: Duel) -> None:
        them = duel.opponent
        if isinstance(heard.event, OwnAnswer):
            options = {question.id: question.options for question in duel.questions}[heard.event.question_id]
            score = f"You {duel.score}, {words.name_of(them)} {them.score if them else 0}."
            self._write(f"{words.judged(heard.event, options)} {score}")
        elif isinstance(heard.event, OpponentAnswer):
            progress = f"{heard.event.answered} of {duel.question_count}"
            self._write(f"{words.name_of(them)} has answered {progress}: {heard.event.score}.")
        elif isinstance(heard.event, RoundClosed):
            self._write(f"The round is over. You {duel.score}, {words.name_of(them)} {heard.event.opponent_score}.")
        elif isinstance(heard.event, Completed):
            self._write(f"{words.name_of(them)} is done.")
        elif isinstance(heard.event, OpponentDisconnected) and them is not None:
            by = heard.event.reconnect_by
            self._write(words.away(them, None if by is None else self._clock.seconds_until(by)))
        elif heard.name == "opponent_reconnected":
            self._write(f"{words.name_of(them)} is back.")
        elif isinstance(heard.event, SessionDelayed):
            self._write("The server was away; that time is taken from nobody.")
