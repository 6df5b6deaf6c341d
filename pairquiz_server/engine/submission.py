"""A command on its way to the committer, and what may become of it."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused

_UNSAID: Any = None


class Collision(Struct, frozen=True):
    """A creation that was not written, because its join code or request id is taken."""


Outcome = Decision | Refused | Collision
Settle = Callable[[Outcome], None]
Announce = Callable[[Decision, object], None]
"""Tells players of a committed decision; the second argument is the command's origin, who has had its reply."""

Watch = Callable[[Decision], None]
"""Hears of a committed decision that is more than an answer, when players have been told."""


class Submission(Struct, kw_only=True, eq=False):
    """A command on its way. Whoever has sent it is one, and says what becomes of the outcome.

    `command` is said when it is known, at the latest when it is submitted. `arrived_at` is in milliseconds; `taken_at`
    (seconds of the loop's clock) is when it began to wait. `origin` is left out when a committed decision is announced,
    because it had its reply. `settled` is true once `settle` was called.
    """

    arrived_at: int
    origin: object = None
    request: int | None = None
    command: Command = _UNSAID
    taken_at: float = 0.0
    settled: bool = False

    def settle(self, outcome: Outcome) -> None:
        """Hear the outcome, exactly once."""
        raise NotImplementedError


class Told(Submission, kw_only=True, eq=False):
    """A command whose outcome `tell` hears."""

    tell: Settle

    def settle(self, outcome: Outcome) -> None:
        """Tell it."""
        self.tell(outcome)
