import re
from pathlib import Path

import pytest

from pairquiz_server.store import queries
from pairquiz_server.store.queries import load, sql_folder

MODULES = sorted(path.stem for path in (sql_folder() / "queries").glob("*.sql"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder of queries; what was read of it is forgotten."""
    (tmp_path / "queries").mkdir()
    monkeypatch.setattr(queries, "sql_folder", lambda: tmp_path)
    load.cache_clear()
    return tmp_path / "queries"


@pytest.mark.parametrize("module", MODULES)
def test_every_header_of_a_file_is_a_query(module: str) -> None:
    text = (sql_folder() / "queries" / f"{module}.sql").read_text(encoding="utf-8")
    assert list(load(module)) == re.findall(r"name: *(\w+)", text)
    assert text.startswith(f"-- Used by store/{module}.py."), "the file says who uses it"


@pytest.mark.parametrize("module", MODULES)
def test_every_query_says_what_it_does_and_ends(module: str) -> None:
    for name, query in load(module).items():
        assert query.startswith("-- "), f"{name} has no comment"
        assert query.endswith(";"), name


@pytest.mark.parametrize("module", MODULES)
def test_every_query_is_run_by_the_module_of_its_file(module: str) -> None:
    source = Path(queries.__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r'_QUERIES\["(\w+)"\]', source))) == sorted(load(module))


def test_a_query_is_what_stands_between_its_header_and_the_next_comments_included(folder: Path) -> None:
    lines = (
        "-- About it.",
        "",
        "-- name: first",
        "-- Why.",
        "SELECT 1;",
        "",
        "-- name: second",
        "SELECT '-- name: x';",
    )
    (folder / "made.sql").write_text("\r\n".join(lines))
    assert dict(load("made")) == {"first": "-- Why.\nSELECT 1;", "second": "SELECT '-- name: x';"}


def test_a_file_without_queries_has_none(folder: Path) -> None:
    (folder / "made.sql").write_text("-- Nothing yet.\n")
    assert dict(load("made")) == {}


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.sql"):
        load("nothing")
