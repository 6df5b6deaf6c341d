import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from pairquiz_server.formats import Parsed, UnreadableFile, parse
from pairquiz_server.rules.question import Difficulty

RESULT: dict[str, Any] = {
    "type": "multiple",
    "difficulty": "hard",
    "category": "Science: Computers",
    "question": "What does &quot;R&amp;D&quot; stand for, and what isn&#039;t it?",
    "correct_answer": "Research &amp; Development",
    "incorrect_answers": ["Rest", "Ready", "Radio"],
}


def response(*results: object) -> bytes:
    return json.dumps({"response_code": 0, "results": results}, indent=1).encode()


def parsed(data: bytes, topic: str | None = None) -> Parsed:
    return parse(data, name="download", topic=topic)


def reason_for(**changes: object) -> str:
    (refusal,) = parsed(response({**RESULT, **changes})).refusals
    return refusal.reason


def test_reader_takes_a_result_with_its_entities_decoded() -> None:
    result = parsed(response(RESULT))
    (located,) = result.questions
    question = located.question
    assert (result.format, result.refusals) == ("OpenTDB", ())
    assert question.text == 'What does "R&D" stand for, and what isn\'t it?'
    assert question.options == ("Research & Development", "Rest", "Ready", "Radio")
    assert (question.correct, question.topic) == (0, "Science: Computers")
    assert question.difficulty is Difficulty.HARD


def test_reader_decodes_entities_once_and_only_whole_ones() -> None:
    (located,) = parsed(response({**RESULT, "question": "&amp;lt; AT&T &copy this&notice &#xe9;?"})).questions
    assert located.question.text == "&lt; AT&T &copy this&notice é?"


def test_reader_takes_a_bare_list_and_an_overriding_topic() -> None:
    (located,) = parsed(json.dumps([RESULT]).encode(), topic="Mixed").questions
    assert located.question.topic == "Mixed"


def test_reader_tells_base64_and_percent_encoding_of_texts() -> None:
    plain = {**RESULT, "question": "What is é + 1, &amp; why?", "correct_answer": "100%"}

    def encoded(encode: Any) -> dict[str, Any]:
        return {
            name: [encode(part) for part in value] if isinstance(value, list) else encode(value)
            for name, value in plain.items()
        }

    in_base64 = encoded(lambda text: base64.b64encode(text.encode()).decode())
    in_percent = encoded(lambda text: quote(text, safe=""))
    in_legacy = encoded(quote_plus)
    for result in (in_base64, in_percent):
        (located,) = parsed(response(result)).questions
        assert located.question.text == "What is é + 1, &amp; why?"
        assert located.question.options[0] == "100%"
        assert located.question.topic == "Science: Computers"
    (refusal,) = parsed(response(in_legacy)).refusals
    assert refusal.reason.startswith("the legacy URL encoding is not read")
    (refusal,) = parsed(response({**in_base64, "question": "%"})).refusals
    assert refusal.reason == "the Base64 encoding is broken"
    (refusal,) = parsed(response({**in_percent, "question": "What%20is%FF"})).refusals
    assert refusal.reason == "the percent encoding is broken"


def test_reader_leaves_a_percent_sign_in_plain_text_alone() -> None:
    (located,) = parsed(response({**RESULT, "question": "Is 5%20 a number?"})).questions
    assert located.question.text == "Is 5%20 a number?"


def test_reader_refuses_results_by_reason() -> None:
    assert reason_for(type="boolean") == "a true-or-false question has two options, four are needed"
    assert reason_for(incorrect_answers=["a"]) == "2 options where 4 are needed"
    assert reason_for(incorrect_answers=["a", "b", 3]) == '"incorrect_answers" is not a list of texts'
    assert reason_for(question=None) == '"question" is missing'
    assert reason_for(question=["x"]) == '"question" is not text'
    assert reason_for(difficulty="brutal") == "the difficulty is none of easy, medium, hard"
    assert reason_for(category=" ") == "a topic has 1 to 80 characters"
    assert reason_for(question="\ud800?") == "the text has control or unassigned characters"


def test_reader_names_the_line_where_each_object_begins() -> None:
    data = b'{"results": [1, {"results": 2},\r\n\r\n  {\r\n"a": [\n1]},\r["x"\n]]}'
    refusals = parsed(data).refusals
    assert [refusal.line for refusal in refusals] == [1, 1, 3, 6]
    assert refusals[0].reason == "a question is a JSON object"


def test_reader_refuses_a_response_without_results() -> None:
    with pytest.raises(UnreadableFile, match="answered with code 5 and no questions"):
        parsed(b'{"response_code": 5, "results": []}')
    with pytest.raises(UnreadableFile, match='"results" is not a list'):
        parsed(b'{"results": {}}')
    assert parsed(b'{"response_code": 0, "results": []}').questions == ()
