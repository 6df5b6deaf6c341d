"""The probe's alerts: each is tried by promtool, has a section that says what to do, and asks for what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from pairquiz_server.probe.duel import Health, Probed
from pairquiz_server.probe.exposition import Exposition
from tests.monitoring.promtool import MONITORING, promtool

TOP = Path(__file__).resolve().parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "probe-alerts.yml").read_text())["groups"][0]["rules"]


def test_each_alert_is_silent_and_fires_as_it_should() -> None:
    status, told = promtool("test", "rules", MONITORING / "probe-alerts_test.yml")
    assert status == 0, told


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
