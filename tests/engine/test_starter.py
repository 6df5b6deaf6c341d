"""The questions that a new database begins with, and that they come once."""

import asyncio
from collections import Counter
from importlib.resources import files

import pytest

from pairquiz_server.engine.starter import load_starter_questions
from pairquiz_server.formats import Parsed, parse
from pairquiz_server.rules.question import Difficulty, Question, text_digest
from pairquiz_server.store.migrations import migrate
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.server import STARTER_QUESTIONS, ServerState
from tests.engine.stage import opened_database


@pytest.fixture(scope="module")
def parsed() -> dict[str, Parsed]:
    """Each starter file by its name."""
    return {
        file.name: parse(file.read_bytes(), name=file.name)
        for file in files("pairquiz_server.starter").iterdir()
        if file.name.endswith(".json")
    }


@pytest.fixture(scope="module")
def bank(parsed: dict[str, Parsed]) -> list[Question]:
    return [located.question for one in parsed.values() for located in one.questions]


def test_every_entry_of_the_starter_files_is_a_question(parsed: dict[str, Parsed]) -> None:
    assert {name: one.refusals for name, one in parsed.items() if one.refusals or not one.questions} == {}


def test_starter_questions_are_enough_for_many_matches_in_every_topic(bank: list[Question]) -> None:
    topics = Counter(question.topic for question in bank)
    assert topics["General"] >= 40
    assert len(topics) >= 12
    assert topics.total() >= 240
    assert min(topics.values()) >= 15


def test_starter_questions_have_all_levels_of_difficulty(bank: list[Question]) -> None:
    levels = Counter(question.difficulty for question in bank)
    assert set(levels) == set(Difficulty)
    assert min(levels.values()) >= len(bank) / 10


def test_right_answers_stand_at_every_place_about_as_often(bank: list[Question]) -> None:
    places = Counter(question.correct for question in bank)
    assert set(places) == {0, 1, 2, 3}
    assert all(0.2 < count / len(bank) < 0.3 for count in places.values()), places


def test_no_two_starter_questions_are_alike(bank: list[Question]) -> None:
    digests = Counter(text_digest(question.text) for question in bank)
    assert [question.text for question in bank if digests[text_digest(question.text)] > 1] == []


def test_starter_questions_carry_no_key_so_that_each_database_gives_its_own(bank: list[Question]) -> None:
    assert {question.key for question in bank} == {None}


async def test_starter_questions_are_loaded_once_beside_what_is_there(
    empty_database_url: str, bank: list[Question]
) -> None:
    async with opened_database(empty_database_url) as database:
        await migrate(database)
        questions, server = Questions(database), ServerState(database)
        own = Question(topic="Own", text="Mine?", options=("a", "b", "c", "d"), correct=0)
        edited = Question(topic="General", text=bank[-1].text, options=("a", "b", "c", "d"), correct=0)
        same = next(question for question in bank if question.topic == "Art")
        await questions.add([own, edited, same])

        assert await load_starter_questions(questions, server) in (len(bank) - 1, len(bank) - 2)
        stored = {(question.topic, question.text): question for question in await questions.export()}
        assert stored.keys() >= {(question.topic, question.text) for question in bank}
        assert stored["Own", "Mine?"].options == own.options

        await database.fetch("UPDATE pairquiz.questions SET retired_at = now()")
        assert await load_starter_questions(questions, server) == 0
        assert await questions.export() == []


async def test_starter_questions_are_loaded_again_after_a_load_that_was_cut(
    empty_database_url: str, bank: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_database(empty_database_url) as database:
        await migrate(database)
        questions, server = Questions(database), ServerState(database)

        async def cut(*_: object) -> bool:
            raise StorageUnavailable("cut")

        for part, act, left in ((questions, "add", 0), (server, "put_first", len(bank))):
            monkeypatch.setattr(part, act, cut)
            with pytest.raises(StorageUnavailable):
                await load_starter_questions(questions, server)
            monkeypatch.undo()
            assert await server.get(STARTER_QUESTIONS) is None
            assert len(await questions.export()) == left

        await database.fetch("UPDATE pairquiz.questions SET retired_at = now() WHERE topic_id = 1")
        missing = len(bank) - len(await questions.export())
        assert await load_starter_questions(questions, server) == missing > 0
        assert len(await questions.export()) == len(bank)
        assert await server.get(STARTER_QUESTIONS) is not None


async def test_two_nodes_load_at_once_and_each_question_is_there_once(
    empty_database_url: str, bank: list[Question]
) -> None:
    async with opened_database(empty_database_url) as first, opened_database(empty_database_url) as second:
        await migrate(first)
        loads = [load_starter_questions(Questions(one), ServerState(one)) for one in (first, second)]
        assert sorted(await asyncio.gather(*loads)) == [0, len(bank)]
        assert len(await Questions(first).export()) == len(bank)
