"""`python -m tests.fuzz`: see `scripts/fuzz`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.fuzz.report import findings, text
from tests.fuzz.run import Plan, run

SHORT = 10_000


def main() -> int:
    """Run, print the report, and return 0 only if nothing was found."""
    arguments = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-fuzz-left-"))
    folder.chmod(0o755)  # PostgreSQL, which is another user where we are root, must reach it
    frames = SHORT if arguments.short else arguments.frames
    print(f"{frames} frames, seed {arguments.seed}: the log is written to {folder}", flush=True)  # noqa: T201
    outcome = asyncio.run(run(Plan(frames, arguments.seed, arguments.attackers), folder))
    print(text(outcome))  # noqa: T201
    return 1 if findings(outcome) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Send hostile frames to the real server while others play on it."
    )
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many frames are sent [1000000]")
    parser.add_argument("--short", action="store_true", help=f"the short form of CI: {SHORT} frames")
    parser.add_argument("--attackers", type=int, default=32, help="how many sessions at a time [32]")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="chooses the frames")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
