"""What an import makes of each question, and what the bank is afterwards."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pairquiz_server.rules.bank import Fate, Standing, Verdict, judge
from pairquiz_server.rules.question import Difficulty, Question, text_digest, topic_key

OPTIONS = ("Alps", "Rhine", "Malta", "Paris")
RIVER = Question(topic="Sea", text="Which is a river?", options=OPTIONS, correct=1, key="river")
ISLAND = Question(topic="Sea", text="Which is an island?", options=OPTIONS, correct=2, key="island")
BANK = (Standing(1, RIVER), Standing(2, ISLAND))


def fates(questions: Sequence[Question], bank: Sequence[Standing] = BANK) -> list[Fate]:
    return [verdict.fate for verdict in judge(questions, bank).verdicts]


def after_import(bank: Sequence[Standing], questions: Sequence[Question]) -> list[Standing]:
    """The bank as the database has it afterwards: a question without a key gets one."""
    judgement = judge(questions, bank)
    kept = [one for one in bank if one.id not in judgement.retired]
    first = max((one.id for one in bank), default=0) + 1
    return kept + [
        Standing(number, replace(question, key=question.key or f"made-{number}"))
        for number, question in enumerate(judgement.additions, first)
    ]


def test_new_question_is_added() -> None:
    lake = replace(RIVER, text="Which is a lake?", key=None)
    judgement = judge([lake], BANK)
    assert judgement.verdicts == (Verdict(Fate.ADDED),)
    assert (judgement.additions, judgement.retired) == ((lake,), ())


def test_same_text_in_another_topic_is_another_question() -> None:
    assert fates([replace(RIVER, topic="Land", key=None)]) == [Fate.ADDED]


@pytest.mark.parametrize(
    "same",
    [
        RIVER,
        replace(RIVER, key=None),
        replace(RIVER, key="somebody else's"),
        replace(RIVER, topic=" SEA"),
    ],
    ids=["with its key", "without a key", "with another key", "with the topic spelled otherwise"],
)
def test_equal_question_is_unchanged(same: Question) -> None:
    judgement = judge([same], BANK)
    assert judgement.verdicts == (Verdict(Fate.UNCHANGED, 1),)
    assert (judgement.additions, judgement.retired) == ((), ())


CHANGES = {
    "options": {"options": ("Alps", "Po", "Malta", "Paris")},
    "right option": {"correct": 0},
    "difficulty": {"difficulty": Difficulty.HARD},
    "language": {"lang": "en"},
    "explanation": {"explanation": "It flows."},
    "source": {"source": "An atlas"},
    "spelling": {"text": "which is a  RIVER?"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("key", [None, "somebody else's"])
def test_other_question_with_the_same_text_is_a_duplicate(changes: dict[str, object], key: str | None) -> None:
    judgement = judge([replace(RIVER, key=key, **changes)], BANK)
    assert judgement.verdicts == (Verdict(Fate.DUPLICATE, 1),)
    assert (judgement.additions, judgement.retired) == ((), ())


@pytest.mark.parametrize(
    "changes", [*CHANGES.values(), {"text": "Which one flows?"}, {"topic": "Land"}], ids=[*CHANGES, "text", "topic"]
)
def test_question_with_a_known_key_is_an_edit(changes: dict[str, object]) -> None:
    edit = replace(RIVER, **changes)
    judgement = judge([edit], BANK)
    assert judgement.verdicts == (Verdict(Fate.EDITED, 1),)
    assert (judgement.additions, judgement.retired) == ((edit,), (1,))


@pytest.mark.parametrize("changes", [{}, {"correct": 0}], ids=["equal but for the text", "also otherwise"])
def test_edit_does_not_take_the_text_of_another(changes: dict[str, object]) -> None:
    edit = replace(RIVER, text="which is an ISLAND?", **changes)
    judgement = judge([edit], BANK)
    assert judgement.verdicts == (Verdict(Fate.DUPLICATE, 2),)
    assert (judgement.additions, judgement.retired) == ((), ())


def test_edit_that_becomes_equal_to_another_changes_nothing() -> None:
    judgement = judge([replace(ISLAND, key="river")], BANK)
    assert judgement.verdicts == (Verdict(Fate.UNCHANGED, 2),)
    assert (judgement.additions, judgement.retired) == ((), ())


def test_text_that_an_edit_gave_up_is_free() -> None:
    moved = replace(RIVER, text="Which one flows?")
    heir = replace(RIVER, key=None, correct=0)
    judgement = judge([moved, heir], BANK)
    assert [verdict.fate for verdict in judgement.verdicts] == [Fate.EDITED, Fate.ADDED]
    assert (judgement.additions, judgement.retired) == ((moved, heir), (1,))


def test_text_is_not_free_before_the_edit_that_gives_it_up() -> None:
    moved = replace(RIVER, text="Which one flows?")
    heir = replace(RIVER, key=None, correct=0)
    assert fates([heir, moved]) == [Fate.DUPLICATE, Fate.EDITED]


def test_second_edit_with_one_key_retires_nothing_twice() -> None:
    edits = [replace(RIVER, text="Which one flows?"), replace(RIVER, text="Which one is wet?")]
    assert judge(edits, BANK).retired == (1,)


def test_nothing_is_made_of_nothing() -> None:
    assert judge([], BANK).verdicts == ()


questions = st.builds(
    Question,
    topic=st.sampled_from(["Sea", "sea", "Land"]),
    text=st.sampled_from(["One?", "one?", "Two?", "Three?"]),
    options=st.just(OPTIONS),
    correct=st.integers(0, 1),
    key=st.sampled_from([None, "k1", "k2", "k3"]),
)


def identity(question: Question) -> tuple[str, bytes]:
    return topic_key(question.topic), text_digest(question.text)


def unique(candidates: list[Question]) -> list[Question]:
    """As the formats give them: no two alike, no two with one key."""
    taken: set[object] = set()
    kept = []
    for question in candidates:
        marks = {identity(question)} | ({question.key} if question.key else set())
        if not marks & taken:
            kept.append(question)
            taken |= marks
    return kept


files = st.lists(questions, max_size=6).map(unique)


@given(earlier=files, file=files)
def test_bank_never_has_two_alike_or_two_with_one_key(earlier: list[Question], file: list[Question]) -> None:
    bank = after_import(after_import([], earlier), file)
    assert len({identity(one.question) for one in bank}) == len(bank)
    assert len({one.question.key for one in bank}) == len(bank)


@given(earlier=files, file=files)
def test_judgement_says_of_each_question_what_is_done(earlier: list[Question], file: list[Question]) -> None:
    bank = after_import([], earlier)
    judgement = judge(file, bank)
    taken = [
        question
        for question, verdict in zip(file, judgement.verdicts, strict=True)
        if verdict.fate in (Fate.ADDED, Fate.EDITED)
    ]
    edited = [verdict.standing_id for verdict in judgement.verdicts if verdict.fate is Fate.EDITED]
    assert list(judgement.additions) == taken
    assert list(judgement.retired) == edited
    assert set(edited) <= {one.id for one in bank}


@given(file=files)
def test_import_twice_adds_nothing(file: list[Question]) -> None:
    bank = after_import([], file)
    again = judge(file, bank)
    assert {verdict.fate for verdict in again.verdicts} <= {Fate.UNCHANGED}
    assert after_import(bank, file) == bank


@given(earlier=files)
def test_export_and_import_changes_nothing(earlier: list[Question]) -> None:
    bank = after_import([], earlier)
    assert set(fates([one.question for one in bank], bank)) <= {Fate.UNCHANGED}
