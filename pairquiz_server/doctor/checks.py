"""Carries out checks beside each other: each has its time, and none can break another, or the report."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct

from pairquiz_server.doctor.faults.itself import CHECK_BROKE, CHECK_TOO_SLOW
from pairquiz_server.doctor.finding import Finding

Findings = AsyncIterator[Finding]


class Check(Struct, frozen=True):
    """What looks at one thing, and how many seconds it may take at most."""

    name: str
    look: Callable[[], Findings]
    within_s: float = 10.0


async def carried_out(checks: Sequence[Check]) -> list[Finding]:
    """Return what all checks have found, in their order."""
    found = await asyncio.gather(*map(_carried_out, checks))
    return [one for findings in found for one in findings]


async def _carried_out(check: Check) -> list[Finding]:
    """Return what a check has found; where it ends too late or breaks, what it had found until then."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(check.within_s):
            async for finding in check.look():
                found.append(finding)  # noqa: PERF401 - one by one: what was found before a break is told
    except TimeoutError:
        found.append(CHECK_TOO_SLOW.found(check.name, seconds=f"{check.within_s:g}"))
    except Exception as error:
        found.append(CHECK_BROKE.found(check.name, kind=type(error).__name__))
    return found
