"""A player of the user's own, to try a duel alone: it sees what every client sees, and says that it is a bot.

What it knows it has read: the starter questions that come with this package. Of all others it knows nothing, and
guesses. Its level is how often it remembers what it has read, and how quickly it answers.
"""

import asyncio
import random
from enum import StrEnum

from msgspec import Struct

from pairquiz_server.client.seat import Seat
from pairquiz_server.formats.shipped import starter_questions
from pairquiz_server.protocol.events import QuestionView
from pairquiz_server.rules.question import Question, text_digest, topic_key


class Level(StrEnum):
    """How good the bot is."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class Habits(Struct, frozen=True):
    """How often a bot remembers what it has read, and in which share of a question's time it answers."""

    remembers: float
    soonest: float
    latest: float


HABITS = {
    Level.EASY: Habits(remembers=0.4, soonest=0.25, latest=0.6),
    Level.MEDIUM: Habits(remembers=0.65, soonest=0.12, latest=0.4),
    Level.HARD: Habits(remembers=0.9, soonest=0.06, latest=0.2),
}


class Bot:
    """What goes on in its head; `chance` decides what it remembers."""

    def __init__(self, level: Level, read: list[Question] | None = None, chance: random.Random | None = None) -> None:
        self.level = level
        self._habits = HABITS[level]
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        questions = starter_questions() if read is None else read
        self._known = {text_digest(one.text): topic_key(one.options[one.correct]) for one in questions}

    @property
    def name(self) -> str:
        """What others see."""
        return f"Bot ({self.level})"

    def choose(self, question: QuestionView) -> int:
        """Return the option that it takes for the right one."""
        options = [topic_key(option) for option in question.options]
        known = self._known.get(text_digest(question.text))
        if known in options and self._chance.random() < self._habits.remembers:
            return options.index(known)
        return self._chance.randrange(len(options))

    def thinks_s(self, time_limit: int) -> float:
        """Return how long it thinks about a question that may take so many seconds."""
        return time_limit * self._chance.uniform(self._habits.soonest, self._habits.latest)


async def play(seat: Seat, bot: Bot, session_id: str, *, joined: bool) -> None:
    """Take the second seat of a match, or the one that it has already, and play. Raises `Refusal`."""
    await seat.set_profile(display_name=bot.name, record_runs=False)  # nobody is to play against its runs
    duel = await (seat.resume(session_id) if joined else seat.join({"session_id": session_id}))
    while question := await seat.next_question():
        thinks_s = bot.thinks_s(duel.time_limit)
        if await seat.while_open(question, asyncio.sleep(thinks_s, result=True)):
            await seat.answer(question, bot.choose(question))
