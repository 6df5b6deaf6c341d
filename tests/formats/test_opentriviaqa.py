import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.formats import Parsed, UnreadableFile, parse

SHARK = b"#Q Which one is a fish?\n^ Shark\nA Dolphin\nB Shark\nC Whale\nD Seal\n\n"


def parsed(data: bytes, *, name: str = "animals.txt", topic: str | None = None) -> Parsed:
    return parse(data, name=name, topic=topic)


def only_reason(data: bytes) -> str:
    result = parsed(data)
    assert result.questions == ()
    (refusal,) = result.refusals
    return refusal.reason


def only_text(data: bytes) -> str:
    result = parsed(data)
    assert result.refusals == ()
    return result.questions[0].question.text


def test_reader_takes_a_block_with_its_line_and_right_option() -> None:
    result = parsed(b"\n\n" + SHARK)
    (located,) = result.questions
    question = located.question
    assert (result.format, result.refusals, located.line) == ("OpenTriviaQA", (), 3)
    assert (question.topic, question.text) == ("Animals", "Which one is a fish?")
    assert (question.options, question.correct) == (("Dolphin", "Shark", "Whale", "Seal"), 1)


def test_reader_takes_the_topic_from_the_name_unless_told() -> None:
    def topic_of(name: str, topic: str | None = None) -> str:
        return parsed(SHARK, name=name, topic=topic).questions[0].question.topic

    assert topic_of("some/folder/science-technology.txt") == "Science Technology"
    assert topic_of("brain_teasers") == "Brain Teasers"
    assert topic_of("animals.txt", "The Sea") == "The Sea"


def test_reader_refuses_a_file_whose_name_gives_no_topic() -> None:
    with pytest.raises(UnreadableFile, match="give the topic with --topic"):
        parsed(SHARK, name="-")
    assert parsed(SHARK, name="-", topic="Sea").questions


def test_reader_joins_a_question_over_several_lines_even_where_one_looks_like_an_option() -> None:
    data = b"#Q Fill in:\r\n\r\nA mulatto, an albino,\nI am\rmosquito\n^ Yes\nA Yes\nB No\nC One\nD Two"
    assert only_text(data) == "Fill in: A mulatto, an albino, I am mosquito"


def test_reader_decodes_each_line_in_its_own_encoding() -> None:
    data = (
        "#Q Café “a”\n".encode()
        + "and “b”…?\n".encode("cp1252")
        + b"^ x\nA \xc3\xa9\nB Pen\xe9lope\nC Brummb\xe4r\nD x\n"
    )
    (located,) = parsed(data).questions
    assert located.question.text == "Café “a” and “b”…?"
    assert located.question.options == ("é", "Penélope", "Brummbär", "x")


def test_reader_refuses_a_block_with_a_byte_that_is_no_character() -> None:
    # 0x81 is nothing in UTF-8 and Windows-1252; in Latin-1 it is a control character.
    assert only_reason(SHARK.replace(b"Seal", b"Se\x81l")) == "the text has control or unassigned characters"


def test_reader_counts_lines_by_cr_lf_and_both_but_not_by_next_line_characters() -> None:
    data = b"#Q One\xc2\x85two\r\n^ a\rA a\nB b\r\nC c\rD d\r\n" + SHARK
    result = parsed(data)
    assert [located.line for located in result.questions] == [1, 7]
    assert result.questions[0].question.text == "One two"


def test_reader_ignores_a_byte_order_mark() -> None:
    assert only_text(b"\xef\xbb\xbf" + SHARK) == "Which one is a fish?"


def test_reader_matches_the_right_answer_without_regard_to_case_and_spaces() -> None:
    (located,) = parsed(SHARK.replace(b"^ Shark", b"^  SHARK ")).questions
    assert located.question.correct == 1


def test_reader_refuses_blocks_by_reason() -> None:
    assert only_reason(b"#Q Is it?\n^ Yes\nA Yes\nB No\n") == "2 options where 4 are needed"
    assert only_reason(SHARK.strip() + b"\nE Crab\n") == "5 options where 4 are needed"
    assert only_reason(b"#Q Is it?\n^ Yes") == "0 options where 4 are needed"
    assert only_reason(SHARK.replace(b"^ Shark", b"^ Crab")) == "the right answer is none of the options"
    assert only_reason(SHARK.replace(b"^ Shark\n", b"")) == "no line ^ with the right answer"
    assert only_reason(SHARK.replace(b"A D", b"^ Seal\nA D")) == "more than one line ^ with the right answer"
    assert only_reason(SHARK.replace(b"A Dolphin", b"A ")) == "an option is empty"
    assert only_reason(SHARK.replace(b"A Dolphin", b"A seal")) == "two options are the same"
    assert only_reason(SHARK.replace(b"Whale", b"Whale\nand more")) == "a line among the options has no letter"
    assert only_reason(SHARK.replace(b"#Q Which one is a fish?", b"#Q")) == "the text is missing"
    assert only_reason(SHARK.replace(b"fish", b"fi\x07sh")) == "the text has control or unassigned characters"


def test_reader_refuses_text_in_front_of_the_first_block() -> None:
    result = parsed(b"\nQ lost its mark\n^ a\n" + SHARK)
    (refusal,) = result.refusals
    assert (refusal.line, refusal.reason) == (2, "text in front of the first line #Q")
    assert [located.line for located in result.questions] == [4]


def test_reader_refuses_the_second_of_two_alike_and_names_the_first() -> None:
    result = parsed(SHARK + SHARK.replace(b"Which", b"WHICH ").replace(b"Seal", b"Orca"))
    (refusal,) = result.refusals
    assert (refusal.line, refusal.reason) == (8, "the same question as line 1")
    assert len(result.questions) == 1


def test_reader_shortens_the_text_of_a_refusal_to_one_printable_line() -> None:
    data = b"#Q Long\x07 " + b"and longer " * 50 + b"\n^ a\nA a\nB b\n"
    (refusal,) = parsed(data).refusals
    assert refusal.text.startswith("Long\N{REPLACEMENT CHARACTER} and longer")
    assert refusal.text.endswith("…")
    assert len(refusal.text) == 80


pieces = st.sampled_from([b"#Q ", b"#Q\t", b"^ ", b"A ", b"B ", b"C ", b"D ", b"E ", b"I ", b"", b" "])
words = st.sampled_from(
    [b"a", b"b", b"c", b"d", b"\xe9", b"\xc3\xa9", b"\x85", b"\xc2\x85", b"\x07", b"", b"#Q", b"#Q x"]
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"])
dirty_lines = st.lists(st.tuples(pieces, words, ends).map(b"".join), max_size=40)


@given(dirty_lines)
def test_reader_loses_no_block_however_dirty_the_file(lines: list[bytes]) -> None:
    data = SHARK + b"".join(lines)
    lone_ends_unified = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    blocks = sum(line.split()[:1] == [b"#Q"] for line in lone_ends_unified.split(b"\n"))
    result = parsed(data)
    assert len(result.questions) + len(result.refusals) == blocks
    entries = {located.line for located in result.questions} | {refusal.line for refusal in result.refusals}
    assert len(entries) == blocks
