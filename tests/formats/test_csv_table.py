import pytest

from pairquiz_server.formats import Parsed, UnreadableFile, parse
from pairquiz_server.rules.question import Difficulty, Question

HEADER = "topic,question,option_a,option_b,option_c,option_d,correct\n"


def parsed(text: str, topic: str | None = None) -> Parsed:
    return parse(text.encode(), name="questions", topic=topic)


def only_question(text: str, topic: str | None = None) -> Question:
    result = parsed(text, topic)
    assert result.refusals == ()
    return result.questions[0].question


def only_reason(row: str) -> str:
    result = parsed(HEADER + row)
    assert result.questions == ()
    return result.refusals[0].reason


def test_reader_takes_every_column() -> None:
    question = only_question(
        "Lang;Difficulty;TEXT; A ;b;C;d;Explanation;Correct;id\nde;Hard;Was?;1;2;3;x;Darum.;x;7\n", "Fragen"
    )
    assert question == Question(
        topic="Fragen",
        text="Was?",
        options=("1", "2", "3", "x"),
        correct=3,
        difficulty=Difficulty.HARD,
        lang="de",
        explanation="Darum.",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("names", ["option_a,option_b,option_c,option_d", "option1,option2,option3,option4", "a,b,c,d"])
def test_reader_takes_each_delimiter_and_each_name_of_an_option(delimiter: str, names: str) -> None:
    text = f"topic,question,{names},correct\nSea,What?,w,x,y,z,B\n".replace(",", delimiter)
    question = only_question("\N{ZERO WIDTH NO-BREAK SPACE}" + text)
    assert (question.topic, question.options, question.correct) == ("Sea", ("w", "x", "y", "z"), 1)


def test_reader_leaves_optional_cells_empty() -> None:
    question = only_question(HEADER.strip() + ",difficulty,explanation,lang\nSea,What?,w,x,y,z,B,,,\n")
    assert (question.difficulty, question.explanation, question.lang) == (Difficulty.MEDIUM, None, None)


def test_reader_tells_the_right_option_by_text_letter_or_number() -> None:
    def correct(options: str, answer: str) -> int:
        return only_question(f"{HEADER}Sea,What?,{options},{answer}").correct

    assert correct("w,x,y,z", "c") == 2
    assert correct("w,x,y,z", "4") == 3
    assert correct("w,x,y,z", " X ") == 1
    assert correct("7,8,9,10", "9") == 2
    assert correct("B,A,AB,0", "AB") == 2
    assert correct("1,2,3,4", "3") == 2


def test_reader_refuses_a_right_option_that_reads_two_ways() -> None:
    assert only_reason("Sea,What?,2,3,4,5,3") == ("the right answer is the text of one option and the place of another")


def test_reader_names_the_first_line_of_a_record_with_quoted_line_ends() -> None:
    result = parsed(
        HEADER + '\nSea,"What\r\nis ""it""?",w,x,y,z,B\n\n,,\nSea,Two?,w,x,y,"z\n\n",E\r\nSea,3?,w,x,y,z,1\n'
    )
    assert [(located.line, located.question.text) for located in result.questions] == [
        (3, 'What is "it"?'),
        (10, "3?"),
    ]
    assert [refusal.line for refusal in result.refusals] == [7]


def test_reader_refuses_records_by_reason() -> None:
    assert only_reason("Sea,What?,w,x,y,z,E") == "the right answer is none of the options"
    assert only_reason("Sea,What?,w,x,y,z,") == "the right answer is none of the options"
    assert only_reason("Sea,What?,w,x,y,,1") == "an option is empty"
    assert only_reason("Sea,What, or who?,w,x,y,z,1") == "8 cells where the header has 7"
    assert only_reason(",What?,w,x,y,z,1") == "a topic has 1 to 80 characters"
    assert only_reason("Sea,,w,x,y,z,1") == "the text is missing"
    assert only_reason("Sea") == "the text is missing"
    assert only_reason('Sea,"What"?,w,x,y,z,1') == "the quotes do not match: nothing is read up to line 2"
    assert only_reason('Sea,"What?,w,x,y,z,1\nSea,b\n') == "the quotes do not match: nothing is read up to line 3"


def test_reader_refuses_other_values_of_difficulty_and_language() -> None:
    result = parsed(
        HEADER.strip() + ",difficulty,lang\nSea,1?,w,x,y,z,1,awful,\nSea,2?,w,x,y,z,1,,English, please\n"
        "Sea,3?,w,x,y,z,1,,English language\nSea,4?,w,x,y,z,1,,pt-BR\n"
    )
    assert [refusal.reason for refusal in result.refusals] == [
        "the difficulty is none of easy, medium, hard",
        "10 cells where the header has 9",
        'the language is not a tag like "en" or "pt-BR"',
    ]
    assert [located.question.lang for located in result.questions] == ["pt-BR"]


def test_reader_goes_on_behind_a_record_with_broken_quotes() -> None:
    result = parsed(HEADER + 'Sea,"What"?,w,x,y,z,1\nSea,Who?,w,x,y,z,1\n')
    assert [located.line for located in result.questions] == [3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "question,option_a,option_b,option_c,correct,topic\n",
            'no column "option_d": add it to the first line',
        ),
        ("question,a,b,c,d,correct\n", 'no column "topic": add it, or give the topic with --topic'),
        ("question,text,a,b,c,d,correct,topic\n", '2 columns for "question": leave one'),
    ],
)
def test_reader_refuses_a_table_by_its_header(text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        parsed(text)


def test_reader_refuses_a_table_that_is_not_utf_8_and_names_the_line() -> None:
    data = HEADER.encode() + b"Sea,What?,w,x,y,z,1\r\nSea,Caf\xe9?,w,x,y,z,1\n"
    with pytest.raises(UnreadableFile, match="line 3 is not UTF-8 text: save the file as UTF-8"):
        parse(data, name="x")
