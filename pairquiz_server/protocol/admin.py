"""A row for each route of the operator's, and what goes over it: no part of the players' contract.

`web.admin` has a handler for each name here, `cli.operator_line` asks by it. Times are in milliseconds.
"""

from msgspec import Struct

from pairquiz_server.protocol.rest import Auth, RestRow

PREFIX = "/api/admin"
"""All of the operator's paths lie below this one, so that a proxy can keep them from the internet by one line."""
OPERATOR_HEADER = "X-Operator"
"""By which whoever has the token says who they are: it is noted, and proves nothing."""
OPERATOR_MAX = 64
LINES = "application/x-ndjson"
"""The media type of an answer that goes on: one JSON object a line."""


class Node(Struct, frozen=True, kw_only=True):
    """One process that serves: what it is, and how much it carries now."""

    id: str
    version: str
    region: str
    pid: int
    started_at: int
    server_time: int
    connections: int
    players: int
    seekers: int
    checks: dict[str, bool]


def _row(method: str, path: str, summary: str, **more: object) -> RestRow:
    return RestRow(method=method, path=PREFIX + path, summary=summary, auth=Auth.OPERATOR, **more)  # type: ignore[arg-type]


ADMIN_ROUTES: dict[str, RestRow] = {
    "show_node": _row("GET", "/node", "The process that answers.", answer=Node),
}
