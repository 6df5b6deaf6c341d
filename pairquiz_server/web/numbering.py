"""Names for commands on their way, by which their lines in the log are found together."""

import itertools
import secrets
from collections.abc import Iterator


def request_ids() -> Iterator[str]:
    """Yield names that no other edge and no other process gives."""
    edge = secrets.token_hex(3)
    return (f"{edge}-{number}" for number in itertools.count(1))
