"""What the store has found, as an operator's list shows it."""

from uuid import UUID

from pairquiz_server.engine.operating import Found
from pairquiz_server.protocol.admin.answers import AuditEntry, FoundPlayer, ListedMatch, MaintenanceState
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Status
from pairquiz_server.store import audit, inspection
from pairquiz_server.store.maintenance import Standing


def listed_match(row: inspection.ListedMatch) -> ListedMatch:
    """Return a match of a list."""
    return ListedMatch(
        session_id=row.id,
        version=row.version,
        status=Status(row.status),
        topic=row.topic,
        origin=row.origin,
        pace=row.pace,
        question_count=row.question_count,
        player1=row.player1_id,
        player1_name=row.player1_name,
        player1_score=row.player1_score,
        player1_away=row.player1_away,
        player2=row.player2_id,
        player2_name=row.player2_name,
        player2_score=row.player2_score,
        player2_away=row.player2_away,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def found_player(found: Found) -> FoundPlayer:
    """Return a player who was found."""
    player, whereabouts = found.player, found.whereabouts
    return FoundPlayer(
        id=player.id,
        kind=player.kind,
        display_name=player.display_name,
        label=player.label,
        created_at=player.created_at,
        seen_at=player.seen_at,
        banned=player.banned,
        reason=player.reason,
        banned_until=player.banned_until,
        erasing=player.erasing,
        nodes=whereabouts.nodes,
        live_matches=whereabouts.live_matches,
        rating=None if whereabouts.rating is None else round(whereabouts.rating),
    )


def maintenance_state(standing: Standing | None, *, changed: bool = True) -> MaintenanceState:
    """Return how a maintenance stands, None where none goes on."""
    if standing is None:
        return MaintenanceState(on=False, changed=changed)
    return MaintenanceState(True, standing.message, standing.since_ms, standing.left_ms, changed)


def audit_entry(line: audit.AuditLine) -> AuditEntry:
    """Return a line of the audit."""
    return AuditEntry(line.id, line.at, line.actor, line.via, line.node, line.action, line.subject, line.detail)


def page_cursor(place: inspection.Place) -> str:
    """Return what an operator names for the page that begins behind a place."""
    return f"{place.at}.{place.id}"


def page_place(cursor: str) -> inspection.Place:
    """Read a cursor. Raises `Refused` (`invalid_payload`)."""
    at, _, match_id = cursor.partition(".")
    try:
        if not (at.isascii() and at.isdigit() and len(at) <= 18):
            raise ValueError
        return inspection.Place(int(at), str(UUID(match_id)))
    except ValueError:
        raise Refused(Code.INVALID_PAYLOAD, "cursor: expected the next_cursor of the page before, as it is") from None
