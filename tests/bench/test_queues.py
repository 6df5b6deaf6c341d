"""The benchmarks of the queue and of the ratings still measure what the server does."""

import subprocess
import sys

import pytest

from bench import matchmaking


async def test_two_nodes_pair_all_that_look(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchmaking, "ratings", lambda count: [1500.0 + number for number in range(count)])
    found = await matchmaking.measure(empty_database_url, seekers=8, nodes=2, per_s=0.0)
    assert found["paired"] == 4
    assert found["difference"] >= found["best_difference"] == 1.0


def test_ratings_are_measured_to_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ratings", "--players", "50", "--matches", "10", "--history", "10"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "head to head" in done.stdout
