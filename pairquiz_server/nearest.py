"""Which name somebody has meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like what was typed, None where none is."""
    spelled = {one.casefold(): one for one in names}
    found = get_close_matches(name.casefold(), spelled, n=1)
    return spelled[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ` (did you mean …?)`, or nothing."""
    found = nearest(name, names)
    return f" (did you mean {found!r}?)" if found is not None else ""
