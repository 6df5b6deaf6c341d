"""`python -m tests.chaos`: see `scripts/chaos`."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from tests.chaos import faults, report
from tests.chaos.rolling import rolling_plan
from tests.chaos.run import Outcome, Plan, run, short_plan
from tests.proxies import BALANCERS

REST_S = (0.05, 0.6)
FAULTS = [kind.__name__ for kind in (*faults.KILLS, *faults.OTHERS, *faults.REDIS)]


def main() -> int:
    """Run, print the report, and return 0 only if nothing was found."""
    arguments = _arguments()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="pairquiz-chaos-left-"))
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.rolling:
        plan = rolling_plan(
            arguments.seed,
            nodes=arguments.nodes,
            rounds=arguments.rolling,
            pairs=arguments.pairs,
            balancer=arguments.behind,
        )
        title = f"A rolling restart of {arguments.nodes} servers behind {arguments.behind}, {arguments.rolling} times"
    elif arguments.short:
        plan = short_plan(arguments.seed, nodes=arguments.nodes)
        title = "Chaos, the short form"
    else:
        plan = _long_plan(arguments)
        title = f"Chaos, {arguments.minutes:g} minutes"
    print(f"{title}, seed {plan.seed}: logs and history are written to {folder}", flush=True)  # noqa: T201
    outcome = asyncio.run(_until_done(plan, folder))
    text = report.markdown(title, outcome.findings, outcome.history, outcome.facts)
    print(text)  # noqa: T201
    if arguments.report is not None:
        arguments.report.write_text(text)
    return 1 if outcome.findings else 0


def _long_plan(arguments: argparse.Namespace) -> Plan:
    async def harm(system: faults.System) -> None:
        await faults.hurt_on(system, time.monotonic() + arguments.minutes * 60, rest_s=REST_S, only=arguments.only)

    official = min(arguments.official, arguments.pairs)
    return Plan(harm, seed=arguments.seed, pairs=arguments.pairs, official=official, nodes=arguments.nodes)


async def _until_done(plan: Plan, folder: Path) -> Outcome:
    task = asyncio.ensure_future(run(plan, folder))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Hurt the real server while players play on it.")
    parser.add_argument("--minutes", type=float, default=5, help="how long to do faults [5]")
    parser.add_argument("--pairs", type=int, default=40, help="how many pairs play [40]")
    parser.add_argument("--official", type=int, default=2, help="how many of them use the official client [2]")
    parser.add_argument("--short", action="store_true", help="the short form of CI: each kind of fault twice")
    parser.add_argument("--nodes", type=int, choices=(1, 2, 3), default=1, help="how many servers [1]")
    parser.add_argument(
        "--rolling", type=int, metavar="ROUNDS", help="restart the servers in turn, and hurt nothing else"
    )
    parser.add_argument(
        "--behind", choices=tuple(BALANCERS), default="nginx", help="what stands before them then [nginx]"
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="chooses the faults")
    parser.add_argument("--only", nargs="+", default=(), choices=FAULTS, metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--report", type=Path, help="also write the report to this file (Markdown)")
    parser.add_argument("--folder", type=Path, help="where logs and history go [a new one below /tmp]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
