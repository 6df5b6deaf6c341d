"""Who sends a command, in tests."""

from collections.abc import Callable

from pairquiz_server.engine.caller import Caller
from pairquiz_server.engine.submission import Outcome
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused


class Asking(Caller, kw_only=True, eq=False):
    """A caller whose command's outcome `tell` hears."""

    tell: Callable[[Decision | Refused], object]

    def settle(self, outcome: Outcome) -> None:
        assert isinstance(outcome, Decision | Refused)
        self.tell(outcome)
