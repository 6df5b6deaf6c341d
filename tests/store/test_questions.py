import asyncio
import random
from collections import Counter

import pytest
from msgspec.structs import replace

from pairquiz_server.formats import dump, parse
from pairquiz_server.rules.bank import Fate, Verdict
from pairquiz_server.rules.question import Difficulty, Question
from pairquiz_server.store import questions as store_questions
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions, StoredQuestion, TopicCount
from tests.store.bank import bank, key, made
from tests.store.duel import Board, save_all

ROWS = "SELECT count(*) FROM pairquiz.questions"
ADDED = Verdict(Fate.ADDED)


def fates(verdicts: object) -> Counter[Fate]:
    return Counter(verdict.fate for verdict in verdicts)


async def numbers(questions: Questions) -> list[Question]:
    """What the bank has of the made-up topic, without the keys that it gave."""
    return [replace(question, key=None) for question in await questions.export("Numbers")]


async def active(questions: Questions, topic: str = "Numbers") -> list[StoredQuestion]:
    """What can be drawn of a topic."""
    found = await questions.find_topic(topic)
    assert found is not None
    return list((await questions.read(found.question_ids)).values())


async def test_questions_are_added_as_they_are(questions: Questions) -> None:
    wanted = [made(1), replace(made(2), difficulty=Difficulty.HARD, lang=None, explanation=None, source="A book")]
    assert list(await questions.add(wanted)) == [ADDED, ADDED]
    assert await numbers(questions) == wanted


async def test_importing_twice_adds_nothing(database: Database, questions: Questions) -> None:
    await questions.add(bank(20))
    before = await database.fetchval(ROWS)
    again = [replace(question, topic=" nUMBERS ", text=question.text.upper()) for question in bank(20)]
    assert fates(await questions.add(bank(20))) == {Fate.UNCHANGED: 20}
    assert fates(await questions.add(again)) == {Fate.DUPLICATE: 20}
    assert await database.fetchval(ROWS) == before


async def test_a_question_with_the_text_of_another_is_a_duplicate_and_not_taken(questions: Questions) -> None:
    await questions.add([made(1), made(2)])
    other_options = replace(made(3), text="which  number IS 1?")
    verdicts = await questions.add([other_options, made(4)])
    assert [verdict.fate for verdict in verdicts] == [Fate.DUPLICATE, Fate.ADDED]
    assert await numbers(questions) == [made(1), made(2), made(4)]


async def test_a_text_may_stand_in_two_topics(questions: Questions) -> None:
    assert list(await questions.add([made(1), made(1, topic="Ciphers")])) == [ADDED, ADDED]


async def test_all_or_nothing_keeps_everything_out_for_one_duplicate(database: Database, questions: Questions) -> None:
    await questions.add([made(1)])
    before = await database.fetchval(ROWS)
    mixed = [replace(made(2), text=made(1).text), made(3, topic="New topic")]
    verdicts = await questions.add(mixed, all_or_nothing=True)
    assert [verdict.fate for verdict in verdicts] == [Fate.DUPLICATE, Fate.ADDED]
    assert await database.fetchval(ROWS) == before
    assert await questions.find_topic("New topic") is None
    assert fates(await questions.add([made(1), made(4)], all_or_nothing=True)) == {Fate.UNCHANGED: 1, Fate.ADDED: 1}


async def test_a_dry_run_tells_every_fate_and_changes_nothing(database: Database, questions: Questions) -> None:
    await questions.add([made(1, keyed=True), made(2)])
    before = await database.fetch("SELECT * FROM pairquiz.questions ORDER BY id")
    plan = [made(1, text="Edited?", keyed=True), made(2), replace(made(3), text=made(2).text), made(4, topic="New")]
    dry = await questions.add(plan, dry_run=True)
    assert [verdict.fate for verdict in dry] == [Fate.EDITED, Fate.UNCHANGED, Fate.DUPLICATE, Fate.ADDED]
    assert await database.fetch("SELECT * FROM pairquiz.questions ORDER BY id") == before
    assert await questions.find_topic("New") is None
    assert await questions.add(plan) == dry


async def test_an_edit_is_a_new_row_that_is_drawn_instead_of_the_old_one(
    database: Database, questions: Questions
) -> None:
    await questions.add([made(1, keyed=True)])
    (old,) = await active(questions)
    for edit in (made(1, text="Edited?", keyed=True), replace(made(1, text="Edited?", keyed=True), correct=0)):
        (verdict,) = await questions.add([edit])
        (new,) = await active(questions)
        assert verdict == Verdict(Fate.EDITED, old.id)
        assert new.id != old.id
        assert (new.text, new.correct) == (edit.text, edit.correct)
        old = new
    rows = await database.fetch(
        "SELECT text, retired_at IS NULL AS active FROM pairquiz.questions WHERE key = $1 ORDER BY id", key(1)
    )
    assert [(row["text"], row["active"]) for row in rows] == [
        (made(1).text, False),
        ("Edited?", False),
        ("Edited?", True),
    ]


async def test_an_edit_may_move_a_question_to_another_topic(questions: Questions) -> None:
    await questions.add([made(1, keyed=True)])
    assert [verdict.fate for verdict in await questions.add([made(1, topic="Moved", keyed=True)])] == [Fate.EDITED]
    counts = await questions.list_topics()
    assert TopicCount("Moved", 1) in counts
    assert "Numbers" not in {count.name for count in counts}


async def test_a_running_match_keeps_the_old_text_of_an_edited_question(
    matches: Matches, questions: Questions, board: Board
) -> None:
    match = await save_all(matches, board.answered_match())
    exported = {question.text: question for question in await questions.export("General")}
    edits = [replace(exported[question.text], text=f"{question.text} (edited)") for question in match.questions]
    assert fates(await questions.add(edits)) == {Fate.EDITED: 5}
    assert await matches.load([match.id]) == {match.id: match}
    drawn = {question.id for question in await active(questions, "General")}
    assert drawn.isdisjoint(question.id for question in match.questions)


@pytest.mark.parametrize(
    "name", ["Straße & Café", "STRASSE & CAFÉ", "  straße  &\tcafe\u0301 ", "strasse & CAFE\u0301"]
)
async def test_a_topic_is_found_by_any_spelling(questions: Questions, name: str) -> None:
    await questions.add([made(1, topic="Straße & Café"), made(2, topic="STRASSE & Café")])
    topic = await questions.find_topic(name)
    assert topic is not None
    assert (topic.name, len(topic.question_ids)) == ("Straße & Café", 2)
    assert len(await questions.export(name)) == 2


async def test_of_a_large_topic_some_questions_are_known_and_others_the_next_time(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_questions, "IDS_MAX", 20)
    await questions.add(bank(40))
    known: set[int] = set()
    for _ in range(30):
        found = await questions.find_topic("Numbers")
        assert found is not None
        assert len(set(found.question_ids)) == 20
        known |= set(found.question_ids)
    assert len(known) == 40
    assert await questions.find_topic("Nothing") is None
    assert await questions.export("Nothing") == []


async def test_a_question_is_read_once_and_one_object_for_all(
    database: Database, questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_questions, "KEPT_MAX", 3)
    await questions.add(bank(5))
    found = await questions.find_topic("Numbers")
    assert found is not None
    first, second, *others = sorted(found.question_ids)
    read = await questions.read([first, second])
    assert [read[first].text, read[second].text] == [made(number).text for number in (0, 1)]
    with monkeypatch.context() as away:
        away.setattr(database, "fetch", None)
        assert (await questions.read([first]))[first] is read[first]
    await questions.read(others[:2])  # now the second one has been asked for least
    with monkeypatch.context() as away:
        away.setattr(database, "fetch", None)
        assert (await questions.read([first]))[first] is read[first]
        with pytest.raises(TypeError):
            await questions.read([second])


async def test_topics_are_listed_by_name_with_their_active_questions(questions: Questions) -> None:
    await questions.add([*bank(3, topic="ZZ"), *bank(2, topic="AA", keyed=True)])
    await questions.add([made(0, topic="AA", text="Edited?", keyed=True)])
    listed = await questions.list_topics()
    assert [count for count in listed if count.name in ("AA", "ZZ")] == [TopicCount("AA", 2), TopicCount("ZZ", 3)]
    assert sum(count.questions for count in listed) == len(await questions.export())


async def test_an_exported_bank_comes_back_unchanged(database: Database, questions: Questions) -> None:
    odd = replace(made(1), text='Quotes " and \\ and 🂡?', options=("a,b", "{c}", "NULL", "'d'"), lang=None)
    await questions.add([odd, *bank(5, topic="Ünicode"), made(7, keyed=True)])
    exported = await questions.export()
    parsed = parse(dump(exported), name="export.json")
    assert parsed.refusals == ()
    before = await database.fetchval(ROWS)
    assert fates(await questions.add([located.question for located in parsed.questions])) == {
        Fate.UNCHANGED: len(exported)
    }
    assert await database.fetchval(ROWS) == before


async def test_nodes_importing_the_same_file_add_it_once(
    database: Database, questions: Questions, other_database: Database
) -> None:
    await questions.add([made(0)])
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.connection() as connection, connection.transaction():
        # Nobody can write until all are under way; what they read before stays as it is.
        await connection.execute("LOCK TABLE pairquiz.questions IN EXCLUSIVE MODE")
        importing = [asyncio.create_task(node.add(bank(200))) for node in (questions, Questions(other_database))]
        while await other_database.fetchval(waiting) < len(importing):
            assert not any(task.done() for task in importing)
    first, second = sorted([fates(await task) for task in importing], key=lambda counts: counts[Fate.ADDED])
    assert first == {Fate.UNCHANGED: 200}
    assert second == {Fate.UNCHANGED: 1, Fate.ADDED: 199}
    assert await numbers(questions) == list(bank(200))


async def test_an_import_that_fails_leaves_nothing(database: Database, questions: Questions) -> None:
    before = await database.fetchval(ROWS)
    with pytest.raises(Exception, match="violates check constraint"):
        await questions.add([made(1), replace(made(2), correct=4)])
    assert await database.fetchval(ROWS) == before
    assert await questions.find_topic("Numbers") is None


async def test_an_empty_import_is_harmless(questions: Questions) -> None:
    assert list(await questions.add([])) == []


async def test_twenty_thousand_questions_come_in_at_once(questions: Questions) -> None:
    many = [made(number, topic=f"Topic {number % 20}") for number in range(20_000)]
    random.Random(1).shuffle(many)
    assert fates(await questions.add(many)) == {Fate.ADDED: 20_000}
    assert fates(await questions.add(many)) == {Fate.UNCHANGED: 20_000}
