"""Servers that are restarted one after the other, as a release does it, while all play behind one proxy."""

import asyncio
import signal
import time
from collections.abc import Iterator

from tests.chaos import faults
from tests.chaos.finding import LOST, Finding
from tests.chaos.history import ACKNOWLEDGED, Fault, History
from tests.chaos.ledger import Ledger
from tests.chaos.pair import Play
from tests.chaos.run import Plan
from tests.proxies import BALANCERS

REST_S = 0.3
PATIENT = Play(
    question_counts=(5, 8),
    time_limit_s=10,
    think_s=(0.1, 1.0),
    habits={"steady": 3, "twice": 1},
    rounds_share=0.0,
    search_share=0.0,
)
"""Nobody gives up, is late or goes offline: whatever ends a match but its last answer is the servers' fault."""


def rolling_plan(seed: int, *, nodes: int, rounds: int, pairs: int, balancer: str) -> Plan:
    """Return a run in which each of the servers is restarted in its turn, so many rounds."""

    async def harm(system: faults.System) -> None:
        while _answers(system.history) < pairs:  # noqa: ASYNC110 - until all are at it, of which nobody tells
            await asyncio.sleep(0.05)
        for number in [*range(nodes)] * rounds:
            await _restart(system, number)
            await asyncio.sleep(REST_S)

    return Plan(
        harm,
        seed,
        pairs=pairs,
        official=0,
        nodes=nodes,
        play=PATIENT,
        balancer=BALANCERS[balancer],
        demand=all_played_out,
    )


def all_played_out(stored: Ledger) -> Iterator[Finding]:
    """Yield each match that did not end by its last answer."""
    for match in stored.matches.values():
        if match.end_reason != "all_answered" or match.forfeited_by is not None:
            yield Finding(
                LOST, match.id, f"it is {match.status} by {match.end_reason}, forfeited by {match.forfeited_by}"
            )


async def _restart(system: faults.System, number: int) -> None:
    fault = Fault("restart", time.monotonic(), detail=f"server {number}")  # whoever was there plays on elsewhere
    system.history.faults.append(fault)
    await faults.end(system.nodes[number].server, signal.SIGTERM, fault)
    fault.ended_at = time.monotonic()


def _answers(history: History) -> int:
    return sum(1 for one in history.commands if one.kind == "submit_answer" and one.outcome == ACKNOWLEDGED)
