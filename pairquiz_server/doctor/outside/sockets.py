"""Whether sessions of Socket.IO can be begun and kept: by polling, by websockets, and through what stands between."""

import msgspec
from aiohttp import ClientSession, TCPConnector, WSServerHandshakeError
from aiohttp.client_exceptions import ClientError

from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import outside as faults
from pairquiz_server.doctor.finding import Finding, ok
from pairquiz_server.doctor.outside.target import Target

TRIES = 6
"""So many requests of one polling session find a second server where there is one."""
SHOWN = 80


class Opened(msgspec.Struct, rename="camel"):
    """What the first packet of a session says; times in milliseconds."""

    sid: str
    ping_interval: int
    ping_timeout: int


async def look_at_polling(target: Target, http: ClientSession) -> Findings:
    """Begin two sessions by polling, keep one for some requests, and yield whether that goes."""
    name = "polling"
    opened = []
    for _ in range(2):
        async with http.get(target.handshake("polling")) as answer:
            said = await answer.text(errors="replace")
        session = read_opening(said)
        if answer.status != 200 or session is None:
            yield faults.POLLING_REFUSED.found(
                name, status=answer.status, said=said[:SHOWN], handshake=target.handshake("polling")
            )
            return
        opened.append(session)
    if opened[0].sid == opened[1].sid:
        yield faults.POLLING_CACHED.found(name)
        return
    yield await _kept(target, name, opened[0].sid)


async def look_at_upgrade(target: Target, http: ClientSession) -> Findings:
    """Begin a session by a websocket, and yield whether that goes."""
    yield await _upgraded(target, http)


async def _upgraded(target: Target, http: ClientSession) -> Finding:
    name, handshake = "websocket", target.handshake("polling")
    try:
        async with http.ws_connect(target.handshake("websocket")) as line:
            said = await line.receive()
    except WSServerHandshakeError as error:
        if error.status in (400, 404, 426, 501) or error.status < 300:
            return faults.UPGRADE_NOT_PASSED.found(name, status=error.status)
        return faults.WEBSOCKET_REFUSED.found(name, said=f"HTTP {error.status}", handshake=handshake)
    except ClientError as error:
        return faults.WEBSOCKET_REFUSED.found(name, said=type(error).__name__, handshake=handshake)
    if not isinstance(said.data, str) or read_opening(said.data) is None:
        return faults.WEBSOCKET_REFUSED.found(name, said="it ends before it has begun", handshake=handshake)
    return ok(name, "the upgrade is passed on")


async def _kept(target: Target, name: str, sid: str) -> Finding:
    """Send to a session over lines of their own, each of which may lead to another server."""
    where = f"{target.handshake('polling')}&sid={sid}"
    async with ClientSession(connector=TCPConnector(force_close=True)) as http:
        for number in range(TRIES):
            body = "40" if number == 0 else "3"
            async with http.post(where, data=body) as answer:
                if answer.status != 200:
                    return faults.POLLING_NOT_STICKY.found(name)
        await _leave(http, where)
    return ok(name, "a session is found again by each of its requests")


async def _leave(http: ClientSession, where: str) -> None:
    """End the session as a page does that goes away."""
    async with http.post(where, data="1"):
        pass


def read_opening(said: str) -> Opened | None:
    """Read the first packet of a session, None where it is none."""
    if not said.startswith("0"):
        return None
    try:
        return msgspec.json.decode(said[1:].encode(), type=Opened)
    except msgspec.MsgspecError:
        return None
