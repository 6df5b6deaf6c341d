"""What must be reached. A ratio is taken inside a round, on one machine in one minute; then comes the median."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import nodes
from bench.servers import EPOLL, NODE, NODE_PG, OURS

# One round of a scenario: what was measured, of whom.
Round = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Goal:
    """A line of the table."""

    title: str
    scenario: str
    figure: Callable[[Round], float]
    relation: str  # ≥, ≤ or <
    bound: float
    unit: str

    def holds(self, value: float) -> bool:
        """Whether a value is good enough."""
        if self.relation == "≥":
            return value >= self.bound
        return value < self.bound or (self.relation == "≤" and value == self.bound)


def _ratio(measure: str, peer: str) -> Callable[[Round], float]:
    return lambda figures: figures[OURS, measure] / figures[peer, measure]


def _core_ratio(peer: str) -> Callable[[Round], float]:
    """How many answers a second of the server's own CPU carries, however much of its core it had or could use."""
    return lambda figures: figures[peer, "server_us"] / figures[OURS, "server_us"]


def _ours(measure: str) -> Callable[[Round], float]:
    return lambda figures: figures[OURS, measure]


def _two_nodes(figures: Round) -> float:
    """What an answer costs, all in all, at one of two nodes, against one that is alone."""
    return figures[nodes.NEAR.title, "total_us"] / figures[nodes.ALONE.title, "total_us"]


def _spread(figures: Round) -> float:
    """How much dearer an answer is at the dearest number of pairs than at the cheapest."""
    costs = [value for (who, measure), value in figures.items() if who == OURS and measure.startswith("server_us_")]
    return (max(costs) / min(costs) - 1) * 100


GOALS = (
    Goal("durable answers/s at saturation, against Node in memory", "saturation",
         _ratio("answers_per_s", NODE), "≥", 1.4, "×"),
    Goal("the same for a second of the server's CPU", "saturation", _core_ratio(NODE), "≥", 1.4, "×"),
    Goal("durable answers/s at saturation, against Node + pg", "saturation",
         _ratio("answers_per_s", NODE_PG), "≥", 4, "×"),
    Goal("the same for a second of the server's CPU", "saturation", _core_ratio(NODE_PG), "≥", 4, "×"),
    Goal("CPU an answer at saturation, against C on epoll", "saturation", _ratio("server_us", EPOLL), "≤", 2.5, "×"),
    Goal("CPU an answer at 1,500/s, against Node in memory", "rate", _ratio("server_us", NODE), "≤", 1.0, "×"),
    Goal("the same with PostgreSQL's, against Node + pg with PostgreSQL's", "rate",
         _ratio("total_us", NODE_PG), "≤", 0.4, "×"),
    Goal("submit → ack p99 at that rate", "rate", _ours("p99_ms"), "≤", 10, "ms"),
    Goal("the same, against Node + pg", "rate", _ratio("p99_ms", NODE_PG), "<", 1, "×"),
    Goal("memory of an idle connection", "connections", _ours("kb_a_connection"), "≤", 12, "KB"),
    Goal("connects a second, against Node", "connections", _ratio("connects_per_s", NODE), "≥", 1.5, "×"),
    Goal("CPU an answer from few pairs to many, dearest over cheapest", "scaling", _spread, "≤", 15, "%"),
    Goal("whole duels a second, against Node in memory", "duels", _ratio("duels_per_s", NODE), "≥", 1, "×"),
    Goal("first answer after a crash with 10,000 live matches", "restart", _ours("first_answer_s"), "≤", 2, "s"),
    Goal("the same where nobody had served for 3 s", "restart", _ours("first_answer_later_s"), "≤", 2, "s"),
    Goal("CPU an answer with two nodes, of pairs at one of them, against one node", "nodes", _two_nodes, "≤", 1.1, "×"),
)  # fmt: skip
