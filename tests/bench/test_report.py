"""Ratios are taken inside a round, and the median of them decides."""

from bench.goals import GOALS
from bench.report import Rounds, verdicts
from bench.servers import EPOLL, NODE, NODE_PG, OURS


def rounds(*ours: float) -> Rounds:
    """Rounds of saturation; Node is slower by half in each than in the one before."""
    return {
        "saturation": [
            {
                (OURS, "answers_per_s"): answers,
                (NODE, "answers_per_s"): 1000 / 2**number,
                (NODE_PG, "answers_per_s"): 100,
                **{(server, "server_us"): 50 for server in (OURS, NODE, NODE_PG, EPOLL)},
            }
            for number, answers in enumerate(ours)
        ]
    }


def test_a_ratio_is_taken_inside_a_round() -> None:
    line = verdicts(rounds(1000, 1000, 500))[2]
    assert "1 – **2** – 2 ×" in line
    assert "| reached" in line


def test_the_median_decides_whether_a_goal_is_reached() -> None:
    assert "**not reached**" in verdicts(rounds(1400, 600, 300))[2]


def test_only_what_was_measured_is_in_the_table() -> None:
    lines = verdicts(rounds(1000))
    assert len(lines) == 2 + sum(goal.scenario == "saturation" for goal in GOALS)
