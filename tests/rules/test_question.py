"""What makes a question good, and what makes two texts one."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.question import (
    EXPLANATION_MAX,
    OPTION_MAX,
    SOURCE_MAX,
    TEXT_MAX,
    TOPIC_MAX,
    Question,
    printable,
    question_fault,
    text_digest,
    tidy,
    topic_fault,
    topic_key,
)

GOOD = {"text": "Which is a river?", "options": ("Alps", "Rhine", "Malta", "Paris"), "correct": 1}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("  Which\n\tis   a\u00a0river? ", "Which is a river?"),
        ("Cafe\u0301", "Café"),
        ("", ""),
        (" \u2003\n", ""),
        ("Zürich", "Zürich"),
    ],
)
def test_text_is_tidied(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


@given(texts)
def test_tidy_text_is_left_alone(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert unicodedata.is_normalized("NFC", tidy(text))


@given(texts)
def test_texts_that_differ_in_form_and_space_alone_are_one(text: str) -> None:
    other = "\n" + unicodedata.normalize("NFD", text).replace(" ", " \t") + " "
    assert topic_key(other) == topic_key(text)
    assert text_digest(other) == text_digest(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("General", "gENERAL"),
        ("Straße", "STRASSE"),
        ("Cafe\u0301", "CAFÉ"),
        ("History  of\tArt", " history of art "),
        ("Ελλάς", "ΕΛΛΆΣ"),
    ],
)
def test_spellings_of_one_topic(one: str, other: str) -> None:
    assert topic_key(one) == topic_key(other)
    assert text_digest(one) == text_digest(other)


def test_topic_key_is_small_composed_and_single_spaced() -> None:
    assert topic_key(" Cafe\u0301  CULTURE") == "café culture"


@pytest.mark.parametrize(("one", "other"), [("Art", "Arts"), ("Cafe", "Café"), ("H2O", "H₂O"), ("a b", "ab")])
def test_different_topics_stay_two(one: str, other: str) -> None:
    assert topic_key(one) != topic_key(other)
    assert text_digest(one) != text_digest(other)


def test_digest_stays_over_releases() -> None:
    assert text_digest(" Which is  a River?") == hashlib.sha256(b"which is a river?").digest()


@pytest.mark.parametrize(
    "text", ["plain", "two words", "Zürich 🦊", "👩\u200d🔬", "עברית", "a\u00a0b", "\ue000", "soft\u00adhyphen", ""]
)
def test_what_people_write_is_printable(text: str) -> None:
    assert printable(text)


@pytest.mark.parametrize("char", ["\0", "\n", "\x1b", "\x7f", "\x85", "\ud800", "\uffff", "\u0378"])
def test_control_surrogate_and_unassigned_characters_are_not_printable(char: str) -> None:
    assert not printable(f"a{char}b")


@pytest.mark.parametrize("name", ["x", "x" * TOPIC_MAX, "General", "Ünï 🦊"])
def test_topic_is_good(name: str) -> None:
    assert topic_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"), [("", "1 to 80"), ("x" * (TOPIC_MAX + 1), "1 to 80"), ("a\0b", "no control characters")]
)
def test_topic_is_faulty(name: str, fault: str) -> None:
    assert fault in str(topic_fault(name))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": "x" * TEXT_MAX},
        {"options": ("x" * OPTION_MAX, "b", "c", "d")},
        {"explanation": "x" * EXPLANATION_MAX, "source": "x" * SOURCE_MAX},
        {"explanation": None, "source": None, "lang": None},
        *({"correct": correct} for correct in range(4)),
        *({"lang": lang} for lang in ("en", "pt-BR", "gsw", "zh-Hant-TW", "EN")),
    ],
)
def test_question_is_good(changes: dict[str, object]) -> None:
    assert question_fault(**GOOD | changes) is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text": ""}, "the text is missing"),
        ({"text": "x" * (TEXT_MAX + 1)}, "longer than 1000"),
        ({"options": ("a", "b", "c")}, "3 options where 4"),
        ({"options": ("a", "b", "c", "d", "e")}, "5 options where 4"),
        ({"options": ("a", "", "c", "d")}, "an option is empty"),
        ({"options": ("a", "b", "c", "x" * (OPTION_MAX + 1))}, "longer than 300"),
        ({"options": ("a", "b", "A", "d")}, "two options are the same"),
        ({"options": ("a", "Cafe\u0301", "c", "café")}, "two options are the same"),
        ({"correct": None}, "no option is marked"),
        ({"correct": -1}, "no option is marked"),
        ({"correct": 4}, "no option is marked"),
        ({"explanation": "x" * (EXPLANATION_MAX + 1)}, "the explanation is longer than 1000"),
        ({"source": "x" * (SOURCE_MAX + 1)}, "the source is longer than 300"),
        *(({"lang": lang}, "the language") for lang in ("", "e", "english", "en_US", "en-", "en\n", "ſl")),
        ({"text": "a\0b"}, "control"),
        ({"options": ("a", "b", "c\x1b", "d")}, "control"),
        ({"explanation": "a\ud800"}, "control"),
        ({"source": "a\x07"}, "control"),
    ],
)
def test_question_is_faulty(changes: dict[str, object], fault: str) -> None:
    assert fault in str(question_fault(**GOOD | changes))


def test_question_is_a_value() -> None:
    one, other = Question(topic="Sea", **GOOD), Question(topic="Sea", **GOOD)
    assert one == other
    with pytest.raises(AttributeError):
        one.text = "another"
