"""What the server says about itself meanwhile, where its metrics can be read: those of one node."""

import asyncio
import time
from contextlib import suppress

import aiohttp
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

EVERY_S = 1.0
_TOTALS = {
    "process_cpu_seconds_total": "cpu",
    "pairquiz_commit_seconds_sum": "commit_sum",
    "pairquiz_commit_seconds_count": "commit_count",
    "pairquiz_batch_commands_sum": "batch_sum",
    "pairquiz_loop_lag_seconds_sum": "lag_sum",
    "pairquiz_loop_lag_seconds_count": "lag_count",
    "process_resident_memory_bytes": "memory",
}


class Look(Struct, frozen=True):
    """A second of the server: its share of a core, what a commit took and held, how late its loop was, its memory."""

    at_s: float
    core: float
    commit_ms: float
    batch: float
    lag_ms: float
    memory_mb: float


class Scraper:
    """Looks at `/metrics` once a second; `looks` stays empty where nobody may."""

    def __init__(self, url: str, token: str | None) -> None:
        self.looks: list[Look] = []
        self._url = f"{url}/metrics"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def run(self) -> None:
        """Look, until it is cancelled, or the server does not let us."""
        timeout = aiohttp.ClientTimeout(total=5 * EVERY_S)
        begun_at = time.monotonic()
        before: tuple[float, dict[str, float]] | None = None
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session:
            while True:
                with suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    async with session.get(self._url) as answer:
                        if answer.status in (401, 403, 404):
                            return
                        now = (time.monotonic(), _totals(await answer.text()))
                    if before is not None:
                        self.looks.append(look(now[0] - begun_at, now[0] - before[0], before[1], now[1]))
                    before = now
                await asyncio.sleep(EVERY_S)


def look(at_s: float, span_s: float, before: dict[str, float], now: dict[str, float]) -> Look:
    """Return what a server did between two looks at its totals."""

    def rise(name: str) -> float:
        return max(now.get(name, 0.0) - before.get(name, 0.0), 0.0)

    commits, lags = rise("commit_count"), rise("lag_count")
    return Look(
        at_s=at_s,
        core=rise("cpu") / span_s,
        commit_ms=rise("commit_sum") / commits * 1000 if commits else 0.0,
        batch=rise("batch_sum") / commits if commits else 0.0,
        lag_ms=rise("lag_sum") / lags * 1000 if lags else 0.0,
        memory_mb=now.get("memory", 0.0) / 1e6,
    )


def _totals(text: str) -> dict[str, float]:
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {_TOTALS[sample.name]: sample.value for sample in samples if sample.name in _TOTALS}
