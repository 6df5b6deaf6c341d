"""The short form of the chaos run: every kind of fault twice, on the real thing."""

from pathlib import Path

from tests.chaos.report import markdown
from tests.chaos.run import run, short_plan

SEED = 1


async def test_service_keeps_its_promises_whatever_dies(tmp_path: Path) -> None:
    outcome = await run(short_plan(SEED, nodes=1), tmp_path)
    assert not outcome.findings, markdown("Chaos, the short form", outcome.findings, outcome.history, outcome.facts)
