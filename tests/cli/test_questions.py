"""Questions come in, are looked at, and go out."""

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.rules.reporting import Report, ReportReason
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.reports import Reports
from tests.cli.conftest import COMMAND, PATIENCE_S, Invoke, clean_environment, one_line

NOWHERE = "postgresql://me@127.0.0.1:1/nowhere"

Ask = Callable[..., Any]


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """One question as OpenTDB gives it."""
    return {
        "category": "Cheese",
        "type": "multiple",
        "difficulty": "easy",
        "question": f"Which cheese is number {number}?",
        "correct_answer": "Brie",
        "incorrect_answers": ["Gouda", "Feta", "Edam"],
    } | changes


def write_open_tdb(path: Path, *entries: dict[str, Any]) -> Path:
    """Write a file with a question a line, the first in line 2."""
    lines = ",\n".join(json.dumps(one) for one in entries)
    path.write_text(f'{{"response_code": 0, "results": [\n{lines}\n]}}\n')
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_open_tdb(tmp_path / "good.json", *(entry(number) for number in range(1, 4)))


@pytest.fixture
def half_bad(tmp_path: Path) -> Path:
    """Two good questions, and bad ones in lines 3 and 5."""
    return write_open_tdb(
        tmp_path / "half_bad.json",
        entry(11),
        entry(12, correct_answer="Feta"),
        entry(13),
        entry(14, question="line\nbreak \x1b[31m", incorrect_answers=["Gouda"]),
    )


@pytest.fixture
def ask(invoke: Invoke, database_url: str) -> Ask:
    """Run a `questions` command on this test's database."""

    def run(*words: str | Path) -> Any:
        return invoke("questions", *words, DATABASE_URL=database_url)

    return run


def cheeses(ask: Ask) -> int:
    """How many questions the topic has."""
    listed = json.loads(ask("list", "--json").stdout)
    return sum(topic["questions"] for topic in listed if topic["name"] == "Cheese")


def test_an_operator_imports_a_file_and_finds_its_topic(ask: Ask, good: Path) -> None:
    result = ask("import", good)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{good}: OpenTDB, 3 questions: 3 added, 0 edited, 0 unchanged, 0 refused\n"
    assert result.stderr == ""
    assert cheeses(ask) == 3
    assert "      3  Cheese\n" in ask("list").stdout


def test_an_operator_who_imports_twice_adds_nothing(ask: Ask, good: Path) -> None:
    ask("import", good)
    again = ask("import", good, good)
    assert again.exit_code == 0
    assert again.stdout.count("0 added, 0 edited, 3 unchanged, 0 refused") == 2
    assert cheeses(ask) == 3


def test_a_dry_run_tells_all_and_changes_nothing(ask: Ask, good: Path) -> None:
    result = ask("import", "--dry-run", good)
    assert result.exit_code == 0
    assert "3 added" in result.stdout
    assert result.stderr == "a dry run: nothing was changed\n"
    assert cheeses(ask) == 0


def test_a_file_with_bad_questions_stays_out_and_each_is_named(ask: Ask, good: Path, half_bad: Path) -> None:
    result = ask("import", half_bad, good)
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in told[:2]] == [f"{half_bad}:3", f"{half_bad}:5"]
    assert all(line.isprintable() for line in told)
    assert told[2:] == ["some files were not imported: mend the lines above, or use --skip-bad"]
    assert "4 questions: nothing imported" in result.stdout
    assert cheeses(ask) == 3, "the other file is none the worse"


def test_the_good_questions_come_in_where_bad_ones_are_skipped(ask: Ask, half_bad: Path) -> None:
    result = ask("import", "--skip-bad", half_bad)
    assert result.exit_code == 0
    assert "2 added, 0 edited, 0 unchanged, 2 refused" in result.stdout
    assert f"{half_bad}:3: " in result.stderr
    assert cheeses(ask) == 2


def test_a_topic_overrides_what_the_file_says(ask: Ask, good: Path) -> None:
    ask("import", "--topic", "  Dairy ", good)
    assert "      3  Dairy\n" in ask("list").stdout
    assert cheeses(ask) == 0
    assert json.loads(ask("export", "--topic", "dairy").stdout)["questions"][0]["topic"] == "Dairy"


def test_counts_come_as_json_for_a_machine(ask: Ask, good: Path, half_bad: Path) -> None:
    result = ask("import", "--json", good, half_bad)
    first, second = json.loads(result.stdout)
    assert (first["file"], first["added"], first["kept"]) == (str(good), 3, True)
    assert (second["file"], second["added"], second["kept"]) == (str(half_bad), 0, False)


def test_an_edited_export_is_a_new_row_and_the_rest_is_unchanged(ask: Ask, good: Path, tmp_path: Path) -> None:
    ask("import", good)
    exported = tmp_path / "exported.json"
    assert ask("export", "--topic", "Cheese", "--output", exported).exit_code == 0
    assert "0 added, 0 edited, 3 unchanged" in ask("import", exported).stdout

    exported.write_text(exported.read_text().replace("number 2", "number two"))
    assert "0 added, 1 edited, 2 unchanged" in ask("import", exported).stdout
    texts = [question["text"] for question in json.loads(ask("export", "--topic", "Cheese").stdout)["questions"]]
    assert sorted(texts) == ["Which cheese is number 1?", "Which cheese is number 3?", "Which cheese is number two?"]


def test_a_question_of_the_bank_with_another_answer_is_refused_with_the_way_out(
    ask: Ask, good: Path, tmp_path: Path
) -> None:
    ask("import", good)
    differs = entry(1, correct_answer="Gouda", incorrect_answers=["a", "b", "c"])
    other = write_open_tdb(tmp_path / "other.json", differs, entry(9))
    result = ask("import", other)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{other}:2: question ")
    assert "edit what `questions export` gives" in result.stderr
    assert cheeses(ask) == 3, "all or nothing"
    assert "1 added, 0 edited, 0 unchanged, 1 refused" in ask("import", "--skip-bad", other).stdout
    assert cheeses(ask) == 4


def test_everything_exported_comes_back_into_an_empty_database(
    invoke: Invoke, database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    exported = tmp_path / "all.json"
    invoke("questions", "export", "--output", exported, DATABASE_URL=database_url)
    count = len(json.loads(exported.read_text())["questions"])
    result = invoke("questions", "import", exported, DATABASE_URL=empty_database_url)
    assert f"{count} questions: 0 added, 0 edited, {count} unchanged" in result.stdout, "the starter questions"


def test_a_check_names_bad_questions_without_a_database(invoke: Invoke, good: Path, half_bad: Path) -> None:
    fine = invoke("questions", "check", good, DATABASE_URL=NOWHERE)
    assert (fine.exit_code, fine.stdout) == (0, f"{good}: OpenTDB, 3 good, 0 bad\n")
    result = invoke("questions", "check", good, half_bad, DATABASE_URL=NOWHERE)
    assert result.exit_code == 1
    assert f"{half_bad}: OpenTDB, 2 good, 2 bad" in result.stdout
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == [f"{half_bad}:3", f"{half_bad}:5"]
    counted = invoke("questions", "check", "--json", half_bad, DATABASE_URL=NOWHERE)
    assert counted.exit_code == 1
    assert json.loads(counted.stdout) == [{"file": str(half_bad), "format": "OpenTDB", "good": 2, "bad": 2}]


@pytest.mark.parametrize("verb", ["import", "check"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\x7fELF\0\0\0", "NUL"),
        (b"PK\x03\x04spreadsheet", "zip"),
        (b'{"results": [', ""),
        (b'{"results": 3}', ""),
        (b'{"something": "else"}', "unknown kind"),
        (b"just some words\n", "format is unknown"),
        (b"[" * 100_000, ""),
        ("Frage".encode("utf-16"), "UTF-16"),
        (b"\xff\xff\xff", ""),
    ],
    ids=["empty", "binary", "zip", "torn", "odd", "other", "words", "deep", "utf-16", "latin"],
)
def test_a_file_of_no_known_kind_is_one_line_and_nothing_is_imported(
    invoke: Invoke, good: Path, tmp_path: Path, verb: str, content: bytes, said: str
) -> None:
    strange = tmp_path / "strange.dat"
    strange.write_bytes(content)
    told = one_line(invoke("questions", verb, good, strange, DATABASE_URL=NOWHERE))  # told before one is needed
    assert str(strange) in told
    assert said in told


@pytest.mark.parametrize("topic", ["", " ", "x" * 81, "bell\a"])
def test_a_topic_that_cannot_be_is_refused(invoke: Invoke, good: Path, topic: str) -> None:
    for verb in ("import", "check"):
        assert "--topic" in one_line(invoke("questions", verb, "--topic", topic, good, DATABASE_URL=NOWHERE))


def test_a_file_whose_name_is_no_text_is_imported_all_the_same(ask: Ask, good: Path, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"\xff[red].json")
    good.rename(strange)
    assert json.loads(ask("import", "--json", strange).stdout)[0]["added"] == 3


def test_an_export_that_cannot_be_written_or_has_nothing_is_one_line(ask: Ask, tmp_path: Path) -> None:
    assert str(tmp_path) in one_line(ask("export", "--output", tmp_path))
    assert "--output" in one_line(ask("export", "--output", tmp_path / "no" / "folder"))
    assert "'Sports cars'" in one_line(ask("export", "--topic", "Sports cars"))


@pytest.mark.parametrize("verb", ["export", "reported"])
def test_a_topic_that_is_typed_wrongly_is_guessed(ask: Ask, verb: str) -> None:
    assert "'Histroy' (did you mean 'History'?)" in one_line(ask(verb, "--topic", "Histroy"))


@pytest.mark.parametrize("on_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(database_url: str, good: Path, on_terminal: bool) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "questions", "import", str(good)],
        env=clean_environment(DATABASE_URL=database_url, TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=theirs if on_terminal else subprocess.PIPE,
    )
    os.close(theirs)
    shown = b""
    try:
        while on_terminal and (some := os.read(ours, 4096)):
            shown += some
    except OSError:
        pass  # a terminal that nobody holds any more
    finally:
        os.close(ours)
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert b"3 added" in out
    if on_terminal:
        assert b"good.json" in shown
        assert b"1/1" in shown
    else:
        assert errors == b""


@pytest.fixture
def reports(database_url: str, ask: Ask, good: Path) -> None:
    """Three players have reported the first cheese, and one of them the second too."""
    assert ask("import", good).exit_code == 0

    async def report() -> None:
        async with open_database(config.load(environ={}), database_url) as database:
            await database.write(
                "INSERT INTO pairquiz.players (id, kind, display_name, created_at)"
                " SELECT 'player ' || n, 'user', 'Player', n FROM generate_series(1, 3) AS n"
            )
            found = await Questions(database).find_topic("Cheese")
            assert found is not None
            first, second, _ = sorted(found.question_ids)
            said = [
                Report("player 1", first, ReportReason.WRONG_ANSWER, "Feta is right, too"),
                Report("player 2", first, ReportReason.WRONG_ANSWER),
                Report("player 3", first, ReportReason.UNCLEAR, "Eh?"),
                Report("player 3", second, ReportReason.OTHER),
            ]
            for at, one in enumerate(said):
                assert await Reports(database).note(one, at)

    asyncio.run(report())


def test_an_operator_sees_what_is_reported_mends_it_and_it_is_gone(ask: Ask, reports: None, tmp_path: Path) -> None:
    first, second = json.loads(ask("reported", "--json").stdout)
    assert (first["reports"], first["reasons"]) == (3, {"wrong_answer": 2, "unclear": 1})
    assert first["notes"] == ["Eh?", "Feta is right, too"]
    lines = ask("reported").stdout.splitlines()
    assert lines == [
        f"      3  {first['key']}  wrong_answer 2, unclear 1  Cheese: Which cheese is number 1?",
        "\tEh?",
        "\tFeta is right, too",
        f"      1  {second['key']}  other 1  Cheese: Which cheese is number 2?",
    ]
    assert ask("reported", "--limit", "1", "--topic", " CHEESE ").stdout.splitlines() == lines[:3]
    assert ask("reported", "--topic", "General").stdout == ""
    assert json.loads(ask("reported", "--topic", "General", "--json").stdout) == []

    exported = json.loads(ask("export", "--topic", "Cheese").stdout)
    (mended,) = [one for one in exported["questions"] if one["key"] == first["key"]]
    mended["text"] = "Which cheese is mended?"
    file = tmp_path / "mended.json"
    file.write_text(json.dumps(exported))
    assert ask("import", file).exit_code == 0
    assert [one["key"] for one in json.loads(ask("reported", "--json").stdout)] == [second["key"]]
    assert ask("reported", "--edited").stdout.splitlines()[0] == f"{lines[0]} (edited)"


@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "many"), ("--topic",)])
def test_a_list_that_cannot_be_is_refused(ask: Ask, words: tuple[str, ...]) -> None:
    assert words[0] in one_line(ask("reported", *words))
