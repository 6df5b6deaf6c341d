import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairquiz_server.formats import UnreadableFile, parse

BLOCK = b"#Q What?\n^ w\nA w\nB x\nC y\nD z\n"
ROW = b"topic,question,a,b,c,d,correct\nSea,What?,w,x,y,z,A\n"
RESULTS = b'[{"category": "Sea", "question": "?", "correct_answer": "w", "incorrect_answers": ["x", "y", "z"]}]'
OWN = (
    b'{"questions": [{"topic": "Sea", "text": "?", "options": ["w", "x", "y", "z"], "correct": 0}],'
    b' "format": "pairquiz-questions", "version": 1}'
)


@pytest.mark.parametrize(
    ("data", "name", "format_name"),
    [
        (BLOCK, "a.json", "OpenTriviaQA"),
        (b"questions, correct me\n" + BLOCK, "a.csv", "OpenTriviaQA"),
        (ROW, "a.txt", "CSV"),
        (b"\r\n\n" + ROW + BLOCK, "a", "CSV"),
        (RESULTS, "a.csv", "OpenTDB"),
        (b'\n {"results": ' + RESULTS + b"}", "a.txt", "OpenTDB"),
        (OWN, "a.txt", "pairquiz-questions"),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_reader_tells_the_format_by_content(data: bytes, name: str, format_name: str, mark: bytes) -> None:
    result = parse(mark + data, name=name)
    assert result.format == format_name
    assert len(result.questions) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \r\n", "the file is empty"),
        (b"PK\x03\x04...", "a zip archive or a spreadsheet"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        ("#Q".encode("utf-16"), "UTF-16 text: save it as UTF-8"),
        (BLOCK + b"\0", "not text"),
        (b"Hello,\nhow are you?", "the format is unknown"),
        (b'[\n {"a": 1 2}]', r"broken at line 2, column 10 \(.+\): mend it there"),
        (b'{"a": \xff}', "line 1 is not UTF-8 text"),
        (b'{"a": 1}', "the JSON is of an unknown kind"),
        (b"[" + b"9" * 5000 + b"]", "a number that is too long"),
        (b"[" * 100_000, "nests too deep"),
    ],
)
def test_reader_refuses_a_file_in_one_line_that_says_what_to_do(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message) as caught:
        parse(data, name="a.txt")
    assert len(str(caught.value).splitlines()) == 1


def test_reader_survives_json_of_any_depth() -> None:
    for depth in range(1, 1200):
        with contextlib.suppress(UnreadableFile):
            parse(b'{"results": [' + b"[" * depth + b"]" * depth + b"]}", name="deep")


starts = st.sampled_from([b"", BLOCK, ROW, RESULTS[:-1], OWN[:-1], b"[", b"{", b'{"results": [', b"question,"])


@given(starts, st.binary(max_size=200))
@example(b'[{"question": "\\ud800", "category": "\\ud800", "correct_answer": "", "incorrect_answers": []}]', b"")
def test_reader_raises_nothing_but_unreadable_file_whatever_the_bytes(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        parse(start + rest, name="any", topic=None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["text", "options", "correct", "topic", "lang", "key", "question", "type", "category"])
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=6), st.sampled_from([None, 1, 4]))
def test_reader_accounts_for_each_element_of_a_list(values: list[object], indent: int | None) -> None:
    listed = json.dumps(values, indent=indent)
    for data in (listed, f'{{"format": "pairquiz-questions", "questions": {listed}, "version": 1}}'):
        result = parse(data.encode(), name="x")
        assert len(result.questions) + len(result.refusals) == len(values)
