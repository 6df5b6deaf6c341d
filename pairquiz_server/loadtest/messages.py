"""What the process that a load test is started from, and those that play, tell each other: JSON, one object a line."""

from msgspec import Struct

from pairquiz_server.loadtest.finding import Finding
from pairquiz_server.loadtest.schedule import Arrivals
from pairquiz_server.loadtest.tally import Window
from pairquiz_server.loadtest.wire import Transport


class Plan(Struct, frozen=True, kw_only=True):
    """What one process is to do. `tokens` has one for each player, or none, where all are guests."""

    url: str
    pairs: int
    topic: str
    question_count: int
    transport: Transport = Transport.WEBSOCKET
    arrivals: Arrivals = Arrivals.POISSON
    patience_s: float = 10.0
    seed: int = 0
    tokens: tuple[str, ...] = ()


class Step(Struct, frozen=True):
    """How many answers a second are given next, and for how long."""

    rate: float
    seconds: float


class Ready(Struct, frozen=True, tag=True):
    """All pairs are connected, and each has a match that runs."""


class Failed(Struct, frozen=True, tag=True):
    """It cannot be done: why, in one line, and as a trouble's name."""

    text: str
    trouble: str = ""


class Passed(Struct, frozen=True, tag=True):
    """A second is over."""

    window: Window


class StepDone(Struct, frozen=True, tag=True):
    """A step is over: `unanswered` is how many answers were not acknowledged within the patience."""

    unanswered: int


class Ended(Struct, frozen=True, tag=True):
    """All matches are done with, and judged. `found` is how many faults there are, `findings` the first of them."""

    matches: int
    answers: int
    found: dict[str, int]
    findings: tuple[Finding, ...]


Report = Ready | Failed | Passed | StepDone | Ended
"""What a process that plays tells."""
