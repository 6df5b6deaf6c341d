"""What goes between an operator and a server that runs: no part of the players' contract, and no promise to anybody.

Both ends are of this package. Times are in milliseconds since the epoch.
"""

from pairquiz_server.protocol.admin.answers import (
    AuditEntry,
    AuditPage,
    EndedMatch,
    FoundPlayer,
    FoundPlayers,
    ListedMatch,
    MaintenanceState,
    MatchPage,
    Node,
)
from pairquiz_server.protocol.admin.matches import MatchChange, ShownAnswer, ShownMatch, ShownPlayer, ShownQuestion
from pairquiz_server.protocol.admin.overview import Overview
from pairquiz_server.protocol.admin.questions import (
    AuditQuery,
    BeginMaintenance,
    EndMatch,
    FindQuery,
    ListQuery,
    MatchPath,
    ShowQuery,
)
from pairquiz_server.protocol.admin.table import ADMIN_ROUTES, LINES, OPERATOR_HEADER, OPERATOR_MAX, PREFIX

__all__ = [
    "ADMIN_ROUTES",
    "LINES",
    "OPERATOR_HEADER",
    "OPERATOR_MAX",
    "PREFIX",
    "AuditEntry",
    "AuditPage",
    "AuditQuery",
    "BeginMaintenance",
    "EndMatch",
    "EndedMatch",
    "FindQuery",
    "FoundPlayer",
    "FoundPlayers",
    "ListQuery",
    "ListedMatch",
    "MaintenanceState",
    "MatchChange",
    "MatchPage",
    "MatchPath",
    "Node",
    "Overview",
    "ShowQuery",
    "ShownAnswer",
    "ShownMatch",
    "ShownPlayer",
    "ShownQuestion",
]
