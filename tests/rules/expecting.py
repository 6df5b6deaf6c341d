"""What a command is expected to come to, where it changes nothing."""

import pytest

from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match


def assert_unchanged(match: Match, command: Command, now: int) -> None:
    decision = decide(match, command, now)
    assert (decision.match, decision.events, decision.duplicate) == (match, (), False)


def assert_refused(match: Match, command: Command, now: int, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        decide(match, command, now)
    assert refused.value.code is code
