"""`python -m tests.upgrades`: see `scripts/upgrade`."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.chaos.pair import Play
from tests.chaos.processes import Postgres
from tests.upgrades.report import markdown
from tests.upgrades.rolling import Outcome, Plan, roll
from tests.upgrades.versions import TOP, next_version, of_commit
from tests.web.valkey import valkey

PLAY = Play(question_counts=(8, 12), time_limit_s=30, think_s=(4.0, 12.0), habits={"steady": 1}, search_share=0.1)


def main() -> int:
    """Carry it out, print the report, and return 0 only if nothing was found."""
    arguments = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-upgrade-"))
    folder.chmod(0o755)  # PostgreSQL's account has to reach it
    old = of_commit(arguments.old, folder / arguments.old) if arguments.old else TOP
    if arguments.new:
        new = of_commit(arguments.new, folder / arguments.new)
    else:
        new = TOP if arguments.old else next_version(folder / "next")
    plan = Plan((old, new, old), arguments.duels, arguments.nodes, PLAY, arguments.seed)
    way = " → ".join(version.name for version in plan.versions)
    print(f"{way}, {plan.nodes} nodes, {plan.duels} duels, seed {plan.seed}: logs are in {folder}", flush=True)  # noqa: T201
    outcome = asyncio.run(_carried_out(plan, folder))
    print(markdown(outcome))  # noqa: T201
    return 1 if outcome.findings else 0


async def _carried_out(plan: Plan, folder: Path) -> Outcome:
    postgres = await asyncio.to_thread(Postgres, folder / "data")
    try:
        with valkey(folder) as redis:
            return await roll(plan, postgres.dsn, redis.url, folder)
    finally:
        postgres.leave()
        shutil.rmtree(folder / "data", ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/upgrade",
        description="Replace servers by another version and back, one by one, while duels go on.",
    )
    parser.add_argument("--duels", type=int, default=100, help="how many go on at a time [100]")
    parser.add_argument("--nodes", type=int, default=3, help="how many servers [3]")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(1_000_000), help="chooses how they are played"
    )
    parser.add_argument("--from", dest="old", metavar="COMMIT", help="the older version [this checkout]")
    parser.add_argument(
        "--to",
        dest="new",
        metavar="COMMIT",
        help="the newer version [this checkout where an older one is named, else one that is made of it]",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
