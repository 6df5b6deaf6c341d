"""The dashboard is one that Grafana takes, and each of its panels asks for what there is."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.monitoring.exposed import names, unknown_names, wrong_labels
from tests.monitoring.promtool import MONITORING, promtool
from tests.monitoring.test_alerts import RECORDED

DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]),
]
WIDTH = 24


def asked(expression: str) -> str:
    """An expression as Grafana asks it, its variables put in."""
    return expression.replace("$__rate_interval", "1m").replace("$job", "pairquiz").replace("$instance", ".*")


def understood(dashboard: dict[str, Any]) -> Any:
    """What Grafana's own types keep of a dashboard."""
    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))


def lost(given: Any, kept: Any, at: str = "") -> Iterator[str]:
    """Yield where what was given is not kept."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield from lost(value, kept[key], f"{at}.{key}") if key in kept else [f"{at}.{key}"]
    elif isinstance(given, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{at}[{number}]")
    elif given != kept:
        yield at


def test_grafana_knows_all_that_is_in_it() -> None:
    assert list(lost(DASHBOARD, understood(DASHBOARD))) == []


def test_what_grafana_does_not_know_is_found() -> None:
    planted = deepcopy(DASHBOARD)
    planted["panels"][1]["options"]["legnd"] = {}
    planted["refresch"] = "30s"
    assert sorted(lost(planted, understood(planted))) == [".panels[1].options.legnd", ".refresch"]


def test_every_expression_is_one(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": asked(one)} for number, one in enumerate(EXPRESSIONS)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    status, told = promtool("check", "rules", file)
    assert (status, f"{len(EXPRESSIONS)} rules found" in told) == (0, True), told


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_a_server_tells(expression: str) -> None:
    assert unknown_names(asked(expression), names()) == set()
    assert wrong_labels(re.sub(r'(job|instance)=~?"\$\w+"', r'job="x"', expression)) == set()
    assert set(re.findall(r"\w+:\w+:\w+", expression)) <= RECORDED


def test_every_panel_has_a_name_a_unit_and_words_and_is_another_one() -> None:
    assert all(panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_no_panel_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        places = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not places & taken, panel["title"]
        assert at["x"] + at["w"] <= WIDTH
        taken |= places


def test_what_every_node_says_of_the_database_is_never_added_up() -> None:
    for expression in EXPRESSIONS:
        for inside in re.findall(r"sum[^(]*\([^)]*\) ?\(([^)]*)", expression):
            assert "pairquiz_database_" not in inside or "without (state)" in expression, expression
