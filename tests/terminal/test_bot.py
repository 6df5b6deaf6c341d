"""A bot is as good as its level, knows nothing but what it has read, and plays by the wire alone."""

import random

import pytest

from pairquiz_server.client import bot as bots
from pairquiz_server.client.beside import beside
from pairquiz_server.client.bot import HABITS, Bot, Level
from pairquiz_server.formats.shipped import starter_questions
from pairquiz_server.protocol.events import QuestionView
from tests.conftest import Server
from tests.terminal.seats import seated

SHUFFLED = (2, 0, 3, 1)


def as_shown(text: str, options: tuple[str, ...]) -> QuestionView:
    """A question as a match shows it, in another order of options."""
    return QuestionView(id=1, text=text, options=tuple(options[place] for place in SHUFFLED), kind="single_choice")


def share_right(bot: Bot) -> float:
    questions = starter_questions()
    right = [bot.choose(as_shown(one.text, one.options)) == SHUFFLED.index(one.correct) for one in questions]
    return sum(right) / len(right)


@pytest.mark.parametrize("level", list(Level))
def test_a_bot_remembers_as_often_as_its_level_says(level: Level) -> None:
    remembers = HABITS[level].remembers
    expected = remembers + (1 - remembers) / 4
    assert share_right(Bot(level, chance=random.Random(7))) == pytest.approx(expected, abs=0.06)


def test_a_bot_that_has_read_nothing_guesses() -> None:
    assert share_right(Bot(Level.HARD, read=[], chance=random.Random(7))) == pytest.approx(0.25, abs=0.06)


def test_a_better_bot_is_quicker() -> None:
    for level, habits in HABITS.items():
        bot = Bot(level, read=[], chance=random.Random(7))
        spans = [bot.thinks_s(30) for _ in range(200)]
        assert 30 * habits.soonest <= min(spans) <= max(spans) <= 30 * habits.latest
    assert HABITS[Level.EASY].soonest > HABITS[Level.MEDIUM].soonest > HABITS[Level.HARD].soonest


async def test_a_bot_plays_a_match_and_says_that_it_is_one(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bot, "thinks_s", lambda self, time_limit: 0.01)
    async with seated(server.url) as player, seated(server.url) as seat:
        opened = await player.create({"question_count": 3})

        async def play() -> None:
            await player.until(lambda duel: duel.status == "ready")
            await player.start()
            while question := await player.next_question():
                await player.answer(question, 0)

        bot = Bot(Level.MEDIUM)
        await beside(play(), bots.play(seat, bot, opened.session_id, joined=False))
        assert player.duel is not None
        assert player.duel.opponent is not None
        assert player.duel.opponent.display_name == "Bot (medium)"
        assert player.duel.results is not None
        assert all(one.opponent_answer is not None for one in player.duel.results.questions)


async def test_the_runs_of_a_bot_are_nobodys_ghost(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bot, "thinks_s", lambda self, time_limit: 0.01)
    async with seated(server.url) as player, seated(server.url) as seat:
        opened = await player.create({"question_count": 1})
        done: list[object] = []

        async def play() -> None:
            await player.until(lambda duel: duel.status == "ready")
            await player.start()
            question = await player.next_question()
            assert question is not None
            await player.answer(question, 0)
            done.append(await seat.until(lambda duel: duel.over))

        await beside(play(), bots.play(seat, Bot(Level.HARD), opened.session_id, joined=False))
        profile = await seat._line.ask("set_profile", {})
        assert profile["record_runs"] is False
