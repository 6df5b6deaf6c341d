"""The short form of the chaos run: every kind of fault twice. CI runs it as `scripts/chaos --short`."""

import os
from pathlib import Path

import pytest

from tests.chaos.report import markdown
from tests.chaos.run import run, short_plan

SEED = 1


@pytest.mark.skipif("CHAOS" not in os.environ, reason="takes half a minute: set CHAOS=1, or run scripts/chaos --short")
@pytest.mark.parametrize("nodes", [1, 2])
async def test_service_keeps_its_promises_whatever_dies(tmp_path: Path, nodes: int) -> None:
    outcome = await run(short_plan(SEED, nodes=nodes), tmp_path)
    assert not outcome.findings, markdown("Chaos, the short form", outcome.findings, outcome.history, outcome.facts)
