"""What has become of a session that somebody cannot find."""

import asyncio

from pairquiz_server.client.beside import beside
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.client.line import Line
from pairquiz_server.client.seat import Seat
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import play as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.doctor.outside.duel import NotAdmitted, admitted
from pairquiz_server.doctor.outside.target import ANSWER_S, Target

_OVER = ("completed", "abandoned", "expired")


async def look_at_session(target: Target) -> Findings:
    """Yield whether the session is unknown, over, somebody else's, or there."""
    if target.session is None:
        yield skipped("session", "none was given: --session ID")
        return
    try:
        line, _ = await admitted(target, target.tokens[0], "session")
    except NotAdmitted as reason:
        yield reason.finding
        return
    try:
        yield await _looked_up(target, line, target.session)
    finally:
        await line.close()


async def _looked_up(target: Target, line: Line, session: str) -> Finding:
    name, seat = "session", Seat(line)
    try:
        async with asyncio.timeout(ANSWER_S):
            duel = await beside(seat.resume(session), seat.listen())
    except Refusal as refusal:
        if refusal.code == "not_a_player":
            return faults.SESSION_NOT_YOURS.found(name, session=session, url=target.url)
        if refusal.code in ("not_found", "invalid_payload"):
            return faults.SESSION_UNKNOWN.found(name, session=session)
        return faults.CONNECT_REFUSED.found(name, reason=refusal, code=refusal.code, url=target.url)
    except ClientError as error:
        return faults.CONNECT_REFUSED.found(name, reason=error, code="client", url=target.url)
    if duel.status in _OVER:
        return faults.SESSION_OVER.found(name, session=session, status=duel.expired or duel.status, url=target.url)
    return ok(name, f"{session} is {duel.status}")
