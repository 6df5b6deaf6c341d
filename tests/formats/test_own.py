import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.formats import Parsed, UnreadableFile, dump, parse
from pairquiz_server.rules.question import (
    Difficulty,
    Question,
    question_fault,
    text_digest,
    tidy,
    topic_fault,
    topic_key,
)

KEY = "0191d3c2-7b1e-7c3a-9f00-0123456789ab"
DANUBE: dict[str, Any] = {"text": "Which river?", "options": ["Danube", "Rhine", "Po", "Elbe"], "correct": 0}


def file_of(*questions: object, **head: object) -> bytes:
    whole = {"format": "pairquiz-questions", "version": 1, **head, "questions": questions}
    return json.dumps(whole, indent=1).encode()


def parsed(data: bytes, topic: str | None = None) -> Parsed:
    return parse(data, name="x", topic=topic)


def reason_for(**changes: object) -> str:
    (refusal,) = parsed(file_of({**DANUBE, **changes}, topic="Rivers")).refusals
    return refusal.reason


def test_reader_takes_topic_and_language_from_the_file_unless_a_question_has_its_own() -> None:
    own = {**DANUBE, "text": "Welcher Berg?", "topic": "Berge", "lang": "de"}
    data = file_of(DANUBE, own, topic="Rivers", lang="en")
    assert [(q.question.topic, q.question.lang) for q in parsed(data).questions] == [
        ("Rivers", "en"),
        ("Berge", "de"),
    ]
    assert [q.question.topic for q in parsed(data, topic="All").questions] == ["All", "All"]


def test_reader_takes_every_field() -> None:
    full = {"difficulty": "easy", "explanation": "It  flows.", "source": "An atlas", "key": KEY.upper()}
    result = parsed(file_of({**DANUBE, **full}, topic="Rivers"))
    assert result.format == "pairquiz-questions"
    assert [located.question for located in result.questions] == [
        Question(
            topic="Rivers",
            text="Which river?",
            options=("Danube", "Rhine", "Po", "Elbe"),
            correct=0,
            difficulty=Difficulty.EASY,
            explanation="It flows.",
            source="An atlas",
            key=KEY,
        )
    ]


def test_reader_refuses_questions_by_reason() -> None:
    assert reason_for(corect=1) == "the field 'corect' is unknown"
    assert reason_for(correct=4) == "no option is marked as right"
    assert reason_for(correct=-1) == "no option is marked as right"
    assert reason_for(correct=True) == '"correct" is not the index of an option, 0 to 3'
    assert reason_for(correct="A") == '"correct" is not the index of an option, 0 to 3'
    assert reason_for(options=["a", "b", "c"]) == "3 options where 4 are needed"
    assert reason_for(text=None) == '"text" is missing'
    assert reason_for(difficulty="odd") == "the difficulty is none of easy, medium, hard"
    assert reason_for(key="7") == "the key is not a UUID"
    assert reason_for(source="x" * 301) == "the source is longer than 300 characters"
    assert reason_for(explanation="x" * 1001) == "the explanation is longer than 1000 characters"
    assert reason_for(topic="") == "a topic has 1 to 80 characters"
    (refusal,) = parsed(file_of(DANUBE)).refusals
    assert refusal.reason == "a topic has 1 to 80 characters"


def test_reader_refuses_a_second_question_with_the_same_text_in_a_topic_or_the_same_key() -> None:
    first = {**DANUBE, "key": KEY}
    elsewhere = {**DANUBE, "topic": "Lakes"}
    again = {**DANUBE, "topic": "RIVERS"}
    same_key = {**DANUBE, "text": "Which other?", "key": KEY}
    head = b'{"format": "pairquiz-questions", "version": 1, "topic": "Rivers", "questions": [\n'
    data = head + b",\n".join(json.dumps(q).encode() for q in (first, elsewhere, again, same_key)) + b"]}"
    result = parsed(data)
    assert [located.line for located in result.questions] == [2, 3]
    assert [(refusal.line, refusal.reason) for refusal in result.refusals] == [
        (4, "the same question as line 2"),
        (5, "the same key as line 2"),
    ]


def test_reader_names_the_line_of_a_question_wherever_the_list_stands() -> None:
    data = (
        b'{"questions": [], "topic": "a", "questions": [\n\n7, {},\n8], "version": 1,\n"format": "pairquiz-questions"}'
    )
    assert [refusal.line for refusal in parsed(data).refusals] == [3, 3, 4]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file_of(version=2), '"version" is not 1'),
        (b'{"format": "pairquiz-questions", "version": 1}', '"questions" is not a list'),
        (file_of(topic=7), '"topic" is not text: mend it at the head of the file'),
        (file_of(format="quiz"), "the JSON is of an unknown kind"),
    ],
)
def test_reader_refuses_a_file_by_its_head(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        parsed(data)


def test_writer_puts_one_question_on_a_line_and_those_of_a_topic_together() -> None:
    def question(topic: str, text: str) -> Question:
        return Question(topic=topic, text=text, options=("a", "b", "c", "d"), correct=2)

    mixed = [question("Sea", "1?"), question("Land", "2?"), question("sea", "3?")]
    lines = dump(mixed).decode().splitlines()
    assert lines[1] == '{"topic":"Sea","text":"1?","options":["a","b","c","d"],"correct":2,"difficulty":"medium"},'
    assert [q.question.text for q in parsed(dump(mixed)).questions] == ["1?", "3?", "2?"]
    assert parsed(dump([])).questions == ()


texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=30).map(tidy)
topics = st.sampled_from(["Geography", "Straße", "日本"])
keys = st.uuids().map(str)
questions = st.builds(
    Question,
    topic=topics,
    text=texts,
    options=st.lists(texts, min_size=4, max_size=4, unique_by=topic_key).map(tuple),
    correct=st.integers(0, 3),
    difficulty=st.sampled_from(Difficulty),
    lang=st.sampled_from([None, "en", "pt-BR"]),
    explanation=st.none() | texts.filter(bool),
    source=st.none() | texts.filter(bool),
    key=st.none() | keys,
).filter(
    lambda q: (
        not (
            topic_fault(q.topic)
            or question_fault(text=q.text, options=q.options, correct=q.correct, explanation=q.explanation)
        )
    )
)
distinct_questions = st.lists(questions, max_size=8, unique_by=lambda q: text_digest(q.text)).filter(
    lambda qs: len({q.key for q in qs if q.key}) == sum(q.key is not None for q in qs)
)


@given(distinct_questions)
def test_reader_takes_back_what_the_writer_wrote(written: list[Question]) -> None:
    result = parsed(dump(written))
    assert result.refusals == ()
    read = [located.question for located in result.questions]
    assert sorted(read, key=lambda q: q.text) == sorted(written, key=lambda q: q.text)
    assert [located.line for located in result.questions] == list(range(2, len(read) + 2))
