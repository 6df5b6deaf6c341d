"""Every alert is tried by promtool, asks for what there is, and leads to a page that says what to do."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.exposed import names, unknown_names, wrong_labels
from tests.monitoring.promtool import MONITORING, promtool

RUNBOOKS = Path(__file__).parents[2] / "docs" / "monitoring.md"
PARTS = ("**What it means.**", "**What players feel.**", "**How to look.**", "**How to mend it.**")


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


RULES = {rule.get("alert") or rule["record"]: rule for rule in rules()}
ALERTS = {name: rule for name, rule in RULES.items() if "alert" in rule}
RECORDED = set(RULES) - set(ALERTS)


def sections() -> dict[str, str]:
    """The runbooks of the page, by the alert that each is headed by."""
    _, *parts = re.split(r"^### (Pairquiz\w+)\n", RUNBOOKS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_prometheus_takes_its_files(tmp_path: Path) -> None:
    folder = shutil.copytree(MONITORING, tmp_path / "monitoring")
    (folder / "metrics-token").write_text("a token")
    status, told = promtool("check", "config", folder / "prometheus.yml")
    assert status == 0, told
    assert f"{len(RULES)} rules found" in told


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    status, told = promtool("test", "rules", MONITORING / "alerts_test.yml")
    assert status == 0, told


def test_each_alert_is_seen_silent_and_firing() -> None:
    tests = yaml.safe_load((MONITORING / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    seen: dict[str, set[bool]] = {}
    for test in tests:
        for case in test["alert_rule_test"]:
            seen.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert seen == {key: {True, False} for key in ALERTS}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_what_a_server_tells(name: str) -> None:
    expression = RULES[name]["expr"]
    assert unknown_names(expression, names()) == set()
    assert wrong_labels(expression) == set()
    assert set(re.findall(r"\w+:\w+:\w+", expression)) <= RECORDED


def test_what_no_server_tells_is_found() -> None:
    assert unknown_names('rate(pairquiz_nothing_total{job="pairquiz_x"}[5m]) > up', names()) == {
        "pairquiz_nothing_total"
    }
    assert wrong_labels('pairquiz_refusals_total{code=~"internal|no_such", colour="red", job="x"}') == {
        ("code", "no_such"),
        ("colour", "red"),
    }


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_leads_to_its_runbook(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["runbook"] == f"docs/monitoring.md#{name.lower()}"
    assert alert["annotations"]["summary"].endswith(".")
    section = sections()[name]
    assert [part for part in PARTS if part not in section] == []


def test_no_runbook_is_left_of_an_alert_that_is_none() -> None:
    assert list(sections()) == list(ALERTS), "in the order of the rules"
