"""A row for each of the operator's routes. `web.admin` has a handler for each, `cli.operator_line` asks by it."""

from typing import Any

from pairquiz_server.protocol.admin import answers, matches, overview, questions
from pairquiz_server.protocol.rest import Auth, RestRow

PREFIX = "/api/admin"
"""All of the operator's paths lie below this one, so that a proxy can keep them from the internet by one line."""
OPERATOR_HEADER = "X-Operator"
"""By which whoever has the token says who they are: it is noted, and proves nothing."""
OPERATOR_MAX = 64
LINES = "application/x-ndjson"
"""The media type of an answer that goes on: one JSON object a line."""


def _row(method: str, path: str, summary: str, **more: Any) -> RestRow:
    return RestRow(method=method, path=PREFIX + path, summary=summary, auth=Auth.OPERATOR, **more)


ADMIN_ROUTES: dict[str, RestRow] = {
    "show_node": _row("GET", "/node", "The process that answers.", answer=answers.Node),
    "show_overview": _row("GET", "/overview", "How all processes fare, and their database.", answer=overview.Overview),
    "list_matches": _row(
        "GET", "/matches", "Matches, the newest first.", query=questions.ListQuery, answer=answers.MatchPage
    ),
    "show_match": _row(
        "GET",
        "/matches/{session_id}",
        "A whole match.",
        parts=questions.MatchPath,
        query=questions.ShowQuery,
        answer=matches.ShownMatch,
    ),
    "watch_match": _row(
        "GET",
        "/matches/{session_id}/changes",
        "A match as it changes, a line each, until it is over.",
        parts=questions.MatchPath,
        answer=matches.MatchChange,
        media=LINES,
    ),
    "end_match": _row(
        "POST",
        "/matches/{session_id}/end",
        "End a match.",
        parts=questions.MatchPath,
        payload=questions.EndMatch,
        answer=answers.EndedMatch,
    ),
    "find_players": _row(
        "GET",
        "/players",
        "Players by an id, a name, or a label.",
        query=questions.FindQuery,
        answer=answers.FoundPlayers,
    ),
    "show_maintenance": _row("GET", "/maintenance", "Whether matches may begin.", answer=answers.MaintenanceState),
    "begin_maintenance": _row(
        "PUT",
        "/maintenance",
        "Let no match begin.",
        payload=questions.BeginMaintenance,
        answer=answers.MaintenanceState,
    ),
    "end_maintenance": _row("DELETE", "/maintenance", "Let matches begin again.", answer=answers.MaintenanceState),
    "show_audit": _row(
        "GET", "/audit", "What operators have done.", query=questions.AuditQuery, answer=answers.AuditPage
    ),
}
