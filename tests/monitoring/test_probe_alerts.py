"""The probe's alerts: each is tried by promtool, has a section that says what to do, and asks for what there is."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from pairquiz_server.probe.duel import Health, Probed
from pairquiz_server.probe.exposition import Exposition
from tests.programs import Program, program

TOP = Path(__file__).resolve().parents[2]
MONITORING = TOP / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "probe-alerts.yml").read_text())["groups"][0]["rules"]


@pytest.fixture(scope="module")
def promtool() -> Program:
    return program("promtool", "prometheus")


def test_each_alert_is_silent_and_fires_as_it_should(promtool: Program) -> None:
    tried = subprocess.run(
        [promtool.path, "test", "rules", "probe-alerts_test.yml"],
        cwd=MONITORING, env=promtool.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_each_alert_is_tried() -> None:
    tests = yaml.safe_load((MONITORING / "probe-alerts_test.yml").read_text())["tests"]
    assert {test["name"] for test in tests} == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (TOP / document).read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_alerts_ask_for_metrics_that_there_are() -> None:
    exposition = Exposition()
    exposition.take(Probed(url="", health=Health.GOOD, phases={"acknowledgement_p50": 0.1}, certificate_until=1.0))
    told = generate_latest(exposition.registry).decode()
    for rule in RULES:
        for name in re.findall(r"pairquiz_probe_\w+", rule["expr"]):
            assert re.search(rf"^{name}(\{{| )", told, re.MULTILINE), name
