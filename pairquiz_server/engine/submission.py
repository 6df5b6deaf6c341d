"""A command on its way to the committer, and what may become of it."""

from collections.abc import Callable

from msgspec import Struct

from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused


class Collision(Struct, frozen=True):
    """A creation that was not written, because its join code or request id is taken."""


Outcome = Decision | Refused | Collision
Settle = Callable[[Outcome], None]
Announce = Callable[[Decision, object], None]
"""Tells players of a committed decision; the second argument is the command's origin, who has had its reply."""


class Submission:
    """A command on its way. `settle` hears its outcome exactly once, and `settled` is true from then on.

    `taken_at` (seconds of the loop's clock) is when it began to wait.
    """

    __slots__ = ("arrived_at", "command", "origin", "request", "settle", "settled", "taken_at")

    def __init__(
        self,
        command: Command,
        arrived_at: int,
        settle: Settle,
        origin: object = None,
        request: str | None = None,
    ) -> None:
        self.command = command
        self.arrived_at = arrived_at
        self.settle = settle
        self.origin = origin
        self.request = request
        self.taken_at = 0.0
        self.settled = False
