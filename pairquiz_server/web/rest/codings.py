"""Which content coding an answer may have (RFC 9110, 12.5.3)."""

import re
from collections.abc import Iterable

IDENTITY = "identity"
_NEVER = re.compile(r"q=0(\.0{0,3})?", re.IGNORECASE)


def best_coding(accepted: str, offered: Iterable[str]) -> str:
    """Return the first coding of `offered` that an Accept-Encoding takes, `identity` where it takes none of them.

    How much it likes one more than another is not asked: what is offered first is smaller.
    """
    taken: dict[str, bool] = {}
    for part in accepted.split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        taken[name.lower()] = not any(_NEVER.fullmatch(parameter) for parameter in parameters)
    return next((coding for coding in offered if taken.get(coding, taken.get("*", False))), IDENTITY)
