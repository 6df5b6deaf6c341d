"""The handwritten SQL: `sql/queries/<module>.sql` → a mapping from each `-- name:` to its text."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_OTHER = "other"
_PACKAGE = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)

_names: dict[str, str] = {}


def sql_folder() -> Path:
    """Return where the SQL lies: inside an installed wheel, else at the top of the checkout."""
    packaged = _PACKAGE / "_sql"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "sql"


@cache
def load(module: str) -> Mapping[str, str]:
    """Return the queries of one file by name, comments included."""
    text = (sql_folder() / "queries" / f"{module}.sql").read_text(encoding="utf-8")
    _, *rest = _NAME.split(text)
    queries = {name: body.strip() for name, body in zip(rest[::2], rest[1::2], strict=True)}
    _names.update((query, f"{module}.{name}") for name, query in queries.items())
    return queries


def name_of(query: str) -> str:
    """Return what a query is called in the metrics, `<module>.<name>`; `other` where it stands in no file."""
    return _names.get(query, _OTHER)
