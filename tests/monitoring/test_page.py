"""The page about monitoring names each metric, and what it has its reader ask can be asked."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from pairquiz_server.metrics import Metrics
from pairquiz_server.store.pool import Database
from tests.client import connected, started_match
from tests.conftest import Server
from tests.monitoring.exposed import names, unknown_names, wrong_labels
from tests.monitoring.promtool import MONITORING, promtool
from tests.monitoring.test_alerts import RUNBOOKS

PAGE = RUNBOOKS.read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(pairquiz_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", PAGE, re.MULTILINE)
CODE = re.findall(r"`([^`\n]+)`", PAGE)
ASKED = sorted(
    {code for code in CODE if re.search(r"\b(pairquiz|process)_\w*[a-z]\b|^job:", code)} - {name for name, *_ in ROWS}
)
STATEMENTS = [
    *re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL),
    *(code for code in CODE if re.match("SELECT .* FROM ", code)),
]


def test_its_table_has_every_metric_with_its_label_and_its_words() -> None:
    metrics = vars(Metrics())
    counted = {
        (
            f"{one._name}_total" if type(one).__name__.startswith("Count") else one._name,
            getattr(one, "_label", ""),
            one._documentation,
        )
        for name, one in metrics.items()
        if name != "registry"
    }
    told = {(name, label.strip("`"), words) for name, _, label, words in ROWS if name != "pairquiz_build_info"}
    assert told == counted
    assert len(ROWS) == len(counted) + 1


def test_the_files_that_it_has_its_reader_lay_down_are_all_that_prometheus_needs(tmp_path: Path) -> None:
    (step,) = re.findall(r"^2\. (.*?)^3\. ", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "metrics-token").write_text("a token")
    for name in re.findall(r"`([\w-]+\.yml)`", step):
        shutil.copy(MONITORING / name, tmp_path)
    status, told = promtool("check", "config", tmp_path / "prometheus.yml")
    assert status == 0, told


def test_prometheus_can_be_asked_all_that_it_has_its_reader_ask(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    rules = [{"record": f"asked:{number}", "expr": expression} for number, expression in enumerate(ASKED)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    status, told = promtool("check", "rules", file)
    assert (status, f"{len(ASKED)} rules found" in told) == (0, True), told


@pytest.mark.parametrize("expression", ASKED)
def test_what_is_asked_is_what_a_server_tells(expression: str) -> None:
    assert unknown_names(expression, names()) == set()
    assert {(label, value) for label, value in wrong_labels(expression) if ".*" not in value} == set()


async def test_the_database_can_be_asked_all_that_it_has_its_reader_ask(server: Server, database: Database) -> None:
    assert len(STATEMENTS) >= 8
    async with connected(server.url) as first, connected(server.url) as second:
        await started_match(first, second)
        for statement in STATEMENTS:
            await database.fetch(statement)
