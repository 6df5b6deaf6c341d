"""The reference names everything that the wire has, and nothing that it has not."""

import re
import tomllib
from pathlib import Path

import pytest

from pairquiz_server.cli.main import main
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.rules.errors import RETRYABLE, Code

TOP = Path(__file__).resolve().parent.parent
PROTOCOL = (TOP / "docs" / "protocol.md").read_text(encoding="utf-8")
FIRST_CELL = re.compile(r"^\| (`[^|]*) \|", re.MULTILINE)


def test_the_architecture_names_every_module_of_the_server_and_every_script() -> None:
    """Who looks for a file finds it there first."""
    named = set(re.findall(r"[a-z0-9_]+", (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    modules = {path.stem for path in (TOP / "pairquiz_server").rglob("*.py") if not path.stem.startswith("__")}
    assert modules - named == set()
    assert {path.name for path in (TOP / "scripts").iterdir()} - named == set()


def _section(title: str) -> str:
    return PROTOCOL.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _named(section: str) -> set[str]:
    return {name for cell in FIRST_CELL.findall(_section(section)) for name in re.findall(r"`(\w+)`", cell)}


def test_reference_lists_exactly_the_commands() -> None:
    assert _named("Commands") == set(COMMANDS)


def test_reference_lists_exactly_the_error_codes() -> None:
    assert _named("Error codes") == {str(code) for code in Code}


def test_readme_lists_exactly_the_commands_of_the_command_line() -> None:
    readme = (TOP / "README.md").read_text(encoding="utf-8").partition("## The command line")[2].partition("\n## ")[0]
    assert {cell.strip("`").split()[0] for cell in FIRST_CELL.findall(readme)} == set(main.commands)


@pytest.mark.parametrize("code", sorted(Code))
def test_reference_tells_which_errors_a_retry_may_mend(code: Code) -> None:
    rows = [line.split("|") for line in _section("Error codes").splitlines() if line.startswith("| `")]
    (row,) = [cells for cells in rows if f"`{code}`" in cells[1]]
    assert (row[3].strip() == "yes") is (code in RETRYABLE)


@pytest.mark.parametrize(
    "document", sorted(TOP.glob("*.md")) + sorted(TOP.glob("docs/**/*.md")), ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize(
    "document", sorted(TOP.glob("*.md")) + sorted(TOP.glob("docs/**/*.md")), ids=lambda path: path.name
)
def test_tests_and_scripts_that_documents_name_exist(document: Path) -> None:
    for named in re.findall(r"`(tests/[\w/]+\.py|scripts/\w+)", document.read_text(encoding="utf-8")):
        assert (TOP / named).exists(), named


def test_the_limits_of_the_security_document_are_those_of_the_settings() -> None:
    settings = tomllib.loads((TOP / "config.toml").read_text(encoding="utf-8"))
    security = (TOP / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| ([^|]+) \|", security, re.MULTILINE)
    assert {key for section, key, _ in rows if section == "limits"} == settings["limits"].keys()
    for section, key, default in rows:
        assert float(default) == settings[section][key], f"{section}.{key}"


def test_every_row_of_the_threats_names_its_test() -> None:
    security = (TOP / "docs" / "security.md").read_text(encoding="utf-8")
    rows = security.partition("## Threats")[2].partition("\n## ")[0].split("\n|")[3:]
    assert len(rows) > 15
    assert [row for row in rows if "`tests/" not in row.rpartition("| ")[2]] == []
