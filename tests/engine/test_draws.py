"""Questions are drawn in memory, from what the database had a moment ago."""

from collections.abc import Sequence
from random import Random

import pytest

from pairquiz_server.engine import draws as engine_draws
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.seen import Seen
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.seen import LastAnswers
from tests.store.bank import bank, made


def made_draws(questions: Questions) -> Draws:
    """Draws for players of whom nobody knows that they have seen anything."""

    async def nothing(players: Sequence[str]) -> dict[str, LastAnswers]:
        return {}

    return Draws(questions, Seen(nothing, lambda _: None), Random(1))


@pytest.fixture
def questions(database: Database) -> Questions:
    return Questions(database)


@pytest.fixture
def draws(questions: Questions) -> Draws:
    return made_draws(questions)


async def texts(draws: Draws, count: int) -> list[str]:
    return [question.text for question in await draws.draw("Numbers", count, ())]


async def test_a_draw_has_different_active_questions_never_more_than_there_are(
    questions: Questions, draws: Draws
) -> None:
    await questions.add(bank(10, keyed=True))
    await questions.add([made(number, text=f"Edited {number}?", keyed=True) for number in range(5)])
    active = {question.text for question in await questions.export("Numbers")}
    for count, expected in ((0, 0), (1, 1), (9, 9), (10, 10), (50, 10)):
        drawn = set(await texts(draws, count))
        assert len(drawn) == expected
        assert drawn <= active
    assert len({tuple(await texts(draws, 10)) for _ in range(10)}) > 1, "ten draws of ten questions came in one order"
    assert len({tuple(await texts(draws, 1)) for _ in range(30)}) > 3, "thirty draws of one question came from three"
    assert await draws.draw("Nothing", 5, ()) == ()


async def test_options_come_in_every_order_and_the_right_one_stays_right(questions: Questions, draws: Draws) -> None:
    await questions.add([made(7)])
    orders = set()
    for _ in range(300):
        (drawn,) = await draws.draw("Numbers", 1, ())
        assert tuple(made(7).options[place] for place in drawn.option_order) == drawn.options
        assert drawn.options[drawn.correct] == made(7).options[made(7).correct]
        orders.add(drawn.option_order)
    assert len(orders) == 24


async def test_what_is_known_is_drawn_without_the_database(
    questions: Questions, draws: Draws, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await questions.add(bank(5))
    first = await draws.draw("Numbers", 5, ())
    monkeypatch.setattr(database, "fetch", None)
    for _ in range(20):
        assert {question.id for question in await draws.draw(" NUMBERS ", 5, ())} == {question.id for question in first}
    topic = await draws.topic("numbers", 5)
    assert topic is not None
    assert (topic.name, topic.available) == ("Numbers", 5)
    assert {id(question.text) for question in await draws.draw("Numbers", 5, ())} == {id(one.text) for one in first}


async def test_a_topic_and_questions_that_were_imported_are_found_at_once(questions: Questions, draws: Draws) -> None:
    assert await draws.topic("Numbers", 5) is None
    await questions.add(bank(3))
    few = await draws.topic("Numbers", 5)
    assert few is not None
    assert few.available == 3
    assert draws.topic_at_hand("Numbers", 3) == few
    assert draws.topic_at_hand("Numbers", 5) is None is draws.draw_at_hand("Numbers", 5, ())
    await questions.add(bank(5))
    enough = await draws.topic("Numbers", 5)
    assert enough is not None
    assert enough.available == 5
    assert len(await draws.draw("Numbers", 5, ())) == 5


async def test_an_edited_question_is_drawn_no_more_when_its_time_is_over(
    questions: Questions, draws: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    await questions.add([made(1, keyed=True)])
    assert await texts(draws, 1) == [made(1).text]
    await questions.add([made(1, text="Edited?", keyed=True)])
    assert await texts(draws, 1) == [made(1).text], "it was read a moment ago"

    monkeypatch.setattr(engine_draws, "KEPT_S", -1.0)
    later = made_draws(questions)
    await later.topic("Numbers", 1)
    await questions.add([made(1, text="Edited again?", keyed=True)])
    assert await texts(later, 1) == ["Edited again?"]
