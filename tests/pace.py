"""How long a promise may take where this machine has more to do than it has processors."""

import os


def patient(promised_s: float) -> float:
    """Return a promise's limit (seconds): as it is on a machine that has time, and longer by as much as it has none."""
    return promised_s * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
