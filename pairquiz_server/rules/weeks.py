"""The weeks of the league: from Monday to Sunday, in UTC, as ISO 8601 has them. Times are milliseconds since 1970."""

_DAY_MS = 24 * 3600 * 1000
WEEK_MS = 7 * _DAY_MS
_MONDAY_MS = -3 * _DAY_MS
"""Week 0 begins before the epoch, which was a Thursday."""


def week_of(at: int) -> int:
    """Return the number of the week in which a moment lies."""
    return (at - _MONDAY_MS) // WEEK_MS


def begins_at(week: int) -> int:
    """Return the first moment of a week, which is the end of the one before."""
    return week * WEEK_MS + _MONDAY_MS
