"""Whether a line on which nobody speaks is kept, and what the server then says by itself comes when it says it.

The server pings each session so often; what stands between must neither end the line before, nor hold the ping back.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType

from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import outside as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.doctor.outside.sockets import Opened, read_opening
from pairquiz_server.doctor.outside.target import Target

LATE_MS = 2000
PATIENCE_S = 6.0
"""How long somebody waits for a ping that is late."""
INTERVAL_MAX_S = 30
_PING, _REFUSED = "2", "44"
_BETWEEN_PACKETS = "\x1e"


class _NotTaken(Exception):
    """The server takes no such player, so that nothing can be tried."""


class _Cut(Exception):
    """The line has ended."""


async def look_at_quiet_websocket(target: Target, http: ClientSession) -> Findings:
    """Wait on a websocket for the server's ping, and yield how it came."""
    name = "quiet websocket"
    try:
        line = await http.ws_connect(target.handshake("websocket"))
    except ClientError:
        yield skipped(name, "there is no websocket")
        return
    async with line:
        opened = read_opening(str((await line.receive()).data))
        if opened is None or opened.ping_interval > INTERVAL_MAX_S * 1000:
            yield _too_long(name)
            return
        began = time.monotonic()
        await line.send_str(_connect(target))

        async def pings() -> AsyncIterator[None]:
            while True:
                heard = await line.receive()
                if heard.type is not WSMsgType.TEXT:
                    raise _Cut
                if _is_ping(heard.data):
                    yield

        yield await _judged(pings(), "websocket", opened, began)


async def look_at_quiet_polling(target: Target, http: ClientSession) -> Findings:
    """Wait on a poll for the server's ping, and yield how it came."""
    name = "quiet polling"
    async with http.get(target.handshake("polling")) as answer:
        opened = read_opening(await answer.text(errors="replace"))
    if opened is None or opened.ping_interval > INTERVAL_MAX_S * 1000:
        yield _too_long(name) if opened else skipped(name, "there is no polling")
        return
    began = time.monotonic()
    where = f"{target.handshake('polling')}&sid={opened.sid}"
    async with http.post(where, data=_connect(target)):
        pass

    async def pings() -> AsyncIterator[None]:
        timeout = ClientTimeout(total=opened.ping_interval / 1000 + PATIENCE_S)
        while True:
            async with http.get(where, timeout=timeout) as answer:
                if answer.status != 200:
                    raise _Cut
                packets = (await answer.text(errors="replace")).split(_BETWEEN_PACKETS)
            if any(_is_ping(packet) for packet in packets):
                yield

    yield await _judged(pings(), "polling", opened, began)


async def _judged(pings: AsyncIterator[None], transport: str, opened: Opened, began: float) -> Finding:
    """Judge when the pings of a session come that began at that time."""
    name, interval_s = f"quiet {transport}", opened.ping_interval / 1000
    try:
        async with asyncio.timeout(2 * interval_s + PATIENCE_S):
            silent_s = await _silence(pings, interval_s, began)
    except _NotTaken:
        return skipped(name, "the server takes nobody without a token: --token")
    except TimeoutError:
        return faults.LINE_LATE.found(name, transport=transport, ms=f"more than {PATIENCE_S * 1000:.0f}")
    except (_Cut, ClientError):
        seconds = f"{time.monotonic() - began:.0f}"
        return faults.LINE_CUT.found(name, transport=transport, seconds=seconds, interval=f"{interval_s:g}")
    late_ms = (silent_s - interval_s) * 1000
    if late_ms > LATE_MS:
        return faults.LINE_LATE.found(name, transport=transport, ms=f"{late_ms:.0f}")
    return ok(name, f"it is kept, and the server's ping comes in time (every {interval_s:g} s)")


async def _silence(pings: AsyncIterator[None], interval_s: float, began: float) -> float:
    """Return for how many seconds nothing came, before a ping that had to be waited for: the first may come at once."""
    before = began
    async for _ in pings:
        now = time.monotonic()
        if now - before > interval_s / 2:
            return now - before
        before = now
    raise _Cut


def _is_ping(packet: str) -> bool:
    """Tell whether a packet is a ping. Raises `_NotTaken` for one that refuses the player."""
    if packet.startswith(_REFUSED):
        raise _NotTaken
    return packet.startswith(_PING)


def _connect(target: Target) -> str:
    """Return the packet that comes in as a player."""
    token = target.tokens[0]
    return "40" + (json.dumps({"token": token}) if token else "")


def _too_long(name: str) -> Finding:
    return skipped(name, f"the server pings less often than every {INTERVAL_MAX_S} s")
