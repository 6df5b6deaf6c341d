"""How all processes of a service fare, and its database, as `top` shows it."""

from collections.abc import Mapping

from msgspec import Struct

from pairquiz_server.store.vitals import LongestQuery, NodeVitals


class Overview(Struct, frozen=True, kw_only=True):
    """One look at all: the processes, the oldest first, and what stands in the database that they share.

    `matches` are live ones by status, `sessions` PostgreSQL's of this database by state, of which it takes
    `sessions_limit` in all; `unrated_ms` is how long the oldest match is over that is not rated.
    """

    node: str
    nodes: list[NodeVitals]
    matches: Mapping[str, int]
    absent_seats: int
    seekers: int
    unrated_ms: int
    sessions: Mapping[str, int]
    sessions_limit: int
    longest: LongestQuery | None
    maintenance: bool
