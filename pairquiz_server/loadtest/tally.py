"""What a load test counts, second by second. Pure."""

from collections.abc import Iterable

from msgspec import Struct, field

from pairquiz_server.loadtest.histogram import Histogram

LOST_LINE = "connection_lost"
"""The trouble of a player whose connection was lost."""


class Window(Struct):
    """What happened within a second.

    `late` is how many of the acknowledged were so only after the step's end.
    `latency` is from when an answer was due until its acknowledgement, `opponent` until the opponent had heard of it.
    `slip` is how late the generator itself looked at an answer that was due, `wait` how late it was given, where it had
    to wait for a match, too. `troubles` are refusals and lost lines, by what they hit; `faults` are promises that were
    broken. `cpu_s` is what the generator used.
    """

    second: int = 0
    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    late: int = 0
    latency: Histogram = field(default_factory=Histogram)
    opponent: Histogram = field(default_factory=Histogram)
    slip: Histogram = field(default_factory=Histogram)
    wait: Histogram = field(default_factory=Histogram)
    troubles: dict[str, int] = field(default_factory=dict)
    faults: int = 0
    cpu_s: float = 0.0

    def trouble(self, what: str) -> None:
        """Count something that went wrong."""
        self.troubles[what] = self.troubles.get(what, 0) + 1

    def add(self, other: "Window") -> None:
        """Count all that another one has: of another process, or another second."""
        self.due += other.due
        self.sent += other.sent
        self.acknowledged += other.acknowledged
        self.late += other.late
        for mine, theirs in zip(self._histograms(), other._histograms(), strict=True):
            mine.add(theirs)
        for what, count in other.troubles.items():
            self.troubles[what] = self.troubles.get(what, 0) + count
        self.faults += other.faults
        self.cpu_s += other.cpu_s

    def _histograms(self) -> tuple[Histogram, ...]:
        return self.latency, self.opponent, self.slip, self.wait


def whole(windows: Iterable[Window]) -> Window:
    """Return what happened in all of them."""
    sum_of_all = Window()
    for window in windows:
        sum_of_all.add(window)
    return sum_of_all
