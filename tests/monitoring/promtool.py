"""Prometheus' own tool, which reads its files as Prometheus does."""

import subprocess
from pathlib import Path

from tests.programs import program

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


def promtool(*arguments: str | Path, told: str = "") -> tuple[int, str]:
    """Run it; return its status and all that it says."""
    tool = program("promtool", "prometheus")
    done = subprocess.run(
        [tool.path, *map(str, arguments)], input=told, env=tool.environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
