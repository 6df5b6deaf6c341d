"""Everything that is tried at a server from outside, in the order in which one rests on the other."""

from aiohttp import ClientSession, ClientTimeout

from pairquiz_server.doctor.checks import Check, carried_out
from pairquiz_server.doctor.finding import Finding, Outcome, skipped
from pairquiz_server.doctor.outside.duel import DUEL_S, look_at_duel
from pairquiz_server.doctor.outside.health import look_at_readiness, look_at_server, look_at_version
from pairquiz_server.doctor.outside.line import look_at_line
from pairquiz_server.doctor.outside.pages import look_at_origin
from pairquiz_server.doctor.outside.quiet import (
    INTERVAL_MAX_S,
    PATIENCE_S,
    look_at_quiet_polling,
    look_at_quiet_websocket,
)
from pairquiz_server.doctor.outside.session import look_at_session
from pairquiz_server.doctor.outside.sockets import look_at_polling, look_at_upgrade
from pairquiz_server.doctor.outside.target import ANSWER_S, Target

_QUIET_S = 2 * INTERVAL_MAX_S + PATIENCE_S + ANSWER_S


async def look_outside(target: Target) -> list[Finding]:
    """Return what there is to say of a server that is deployed."""
    async with ClientSession(timeout=ClientTimeout(total=ANSWER_S)) as http:
        found = await carried_out([Check("address", lambda: look_at_line(target), 3 * ANSWER_S)])
        if not _failed(found):
            found += await carried_out([Check("server", lambda: look_at_server(target, http), 2 * ANSWER_S)])
        checks = [
            Check("readiness", lambda: look_at_readiness(target, http), 2 * ANSWER_S),
            Check("version", lambda: look_at_version(target, http), 2 * ANSWER_S),
            Check("origin", lambda: look_at_origin(target, http), 3 * ANSWER_S),
            Check("polling", lambda: look_at_polling(target, http), 6 * ANSWER_S),
            Check("websocket", lambda: look_at_upgrade(target, http), 2 * ANSWER_S),
            Check("quiet websocket", lambda: look_at_quiet_websocket(target, http), _QUIET_S),
            Check("quiet polling", lambda: look_at_quiet_polling(target, http), _QUIET_S),
            Check("duel", lambda: look_at_duel(target), 2 * DUEL_S),
            Check("session", lambda: look_at_session(target), 4 * ANSWER_S),
        ]
        if _failed(found):
            return found + [skipped(check.name, "the server is not reached") for check in checks]
        return found + await carried_out(checks)


def _failed(found: list[Finding]) -> bool:
    return any(finding.outcome is Outcome.FAILED for finding in found)
