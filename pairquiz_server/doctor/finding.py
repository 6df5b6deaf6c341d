"""What a check has found, and what can be wrong at all."""

import shlex
from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """How a check came out; of these only `failed` means that something does not work."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True, omit_defaults=True):
    """One line of the report: what was looked at, and what was found; of a fault also its name, and what mends it."""

    check: str
    outcome: Outcome
    what: str
    fault: str = ""
    mend: str = ""


class Fault(Struct, frozen=True):
    """Something that can be wrong: its stable name, and templates of what is said of it and of the mending command."""

    name: str
    says: str
    mend: str
    outcome: Outcome = Outcome.FAILED

    def found(self, check: str, **facts: object) -> Finding:
        """Return the finding of this fault; what stands in the command is quoted for a shell."""
        told = {name: str(fact) for name, fact in facts.items()}
        quoted = {name: shlex.quote(fact) for name, fact in told.items()}
        return Finding(check, self.outcome, self.says.format_map(told), self.name, self.mend.format_map(quoted))


def ok(check: str, what: str) -> Finding:
    """Return that a check holds."""
    return Finding(check, Outcome.OK, what)


def skipped(check: str, why: str) -> Finding:
    """Return that a check was not made, and why."""
    return Finding(check, Outcome.SKIPPED, why)
