"""Redis as somebody looks at it who does not know whether it works."""

import asyncio
import secrets
import ssl
import time
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from pairquiz_server.reach import Unreachable, Why, reach

DEFAULT_PORT = 6379
PROBE_CHANNEL = "pairquiz:doctor:"
ECHO_S = 2.0


class Trouble(StrEnum):
    """Why Redis does not do what nodes need of it."""

    HOST_UNKNOWN = "host_unknown"
    REFUSED = "refused"
    SILENT = "silent"
    PASSWORD = "password"  # noqa: S105  (a name, not a secret)
    FORBIDDEN = "forbidden"
    NO_TLS = "no_tls"
    CERTIFICATE = "certificate"
    NOT_REDIS = "not_redis"
    DEAF = "deaf"


_TROUBLES = {
    Why.HOST_UNKNOWN: Trouble.HOST_UNKNOWN,
    Why.REFUSED: Trouble.REFUSED,
    Why.SILENT: Trouble.SILENT,
    Why.NO_ROUTE: Trouble.SILENT,
}


class NotUsable(Exception):
    """It cannot be reached, or does not do what is asked; the message is its reason, without the address."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        self.trouble = trouble
        super().__init__(reason)


class RedisFacts(Struct, frozen=True):
    """What a Redis is; `primary` is whom it follows, None where it follows nobody."""

    version: str
    cluster: bool
    primary: str | None
    echo_ms: float
    listeners: int | None


def shown(url: str) -> str:
    """Return where an address leads, without who goes there."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or DEFAULT_PORT}"


async def examine(url: str, channel: str | None, *, within_s: float) -> RedisFacts:
    """Look at a Redis, and let a publication come back; `channel` is where its nodes speak. Raises `NotUsable`."""
    parts = urlsplit(url)
    try:
        # RESP 2: with 3, a server that does not know it repeats the password in its refusal.
        client = Redis.from_url(
            url, protocol=2, socket_timeout=within_s, socket_connect_timeout=within_s, retry=Retry(NoBackoff(), 0)
        )
    except (ValueError, TypeError, AttributeError):
        raise NotUsable(Trouble.NOT_REDIS, "REDIS_URL has options that Redis' client does not know") from None
    try:
        if parts.hostname:
            await reach(parts.hostname, parts.port or DEFAULT_PORT, within_s=within_s)
        await client.ping()
        return await _facts(client, channel)
    except Unreachable as error:
        raise NotUsable(_TROUBLES[error.why], str(error)) from None
    except (RedisError, OSError, RuntimeError) as error:
        reason = _named(error)
        if reason.trouble is Trouble.SILENT and parts.scheme == "rediss" and await _speaks_plainly(parts, within_s):
            reason = NotUsable(Trouble.NO_TLS, "it speaks no TLS")
        raise reason from None
    finally:
        await client.aclose()


async def _facts(client: Redis, channel: str | None) -> RedisFacts:
    try:
        info: dict[str, Any] = await client.info("everything")
    except (NoPermissionError, ResponseError):  # somebody else's, who shows nothing of itself
        info = {}
    following = info.get("role") == "slave"
    listeners = None if channel is None else dict(await client.pubsub_numsub(channel)).get(channel.encode())
    return RedisFacts(
        version=str(info.get("valkey_version") or info.get("redis_version") or "unknown"),
        cluster=info.get("cluster_enabled") == 1,
        primary=f"{info.get('master_host')}:{info.get('master_port')}" if following else None,
        echo_ms=await _echo_ms(client),
        listeners=listeners,
    )


async def _speaks_plainly(parts: SplitResult, within_s: float) -> bool:
    """Tell whether a Redis answers there without TLS; one that is asked for it without knowing it says nothing."""
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or DEFAULT_PORT)
            writer.write(b"PING\r\n")
            said = await reader.read(1)
            writer.close()
            return said in (b"+", b"-")
    except OSError:
        return False


async def _echo_ms(client: Redis) -> float:
    """Return how long a publication takes to come back, on a channel where nobody else listens."""
    channel = PROBE_CHANNEL + secrets.token_hex(8)
    async with client.pubsub() as listening:
        await listening.subscribe(channel)
        try:
            async with asyncio.timeout(ECHO_S):
                await _next(listening, "subscribe")
                began = time.perf_counter()
                await client.publish(channel, b"echo")
                await _next(listening, "message")
        except TimeoutError:
            raise NotUsable(Trouble.DEAF, f"nothing came back within {ECHO_S:g} s") from None
        return (time.perf_counter() - began) * 1000


async def _next(listening: Any, kind: str) -> None:
    while True:
        heard = await listening.get_message(timeout=ECHO_S)
        if heard is not None and heard["type"] == kind:
            return


def _named(error: BaseException) -> NotUsable:
    """Give what fails by its name. What the client says of a connection names the address, never the password."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotUsable(Trouble.CERTIFICATE, cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return NotUsable(Trouble.NO_TLS, "it speaks no TLS")
        cause = cause.__cause__ or cause.__context__
    said = str(error)
    if isinstance(error, AuthenticationError) or any(
        word in said for word in ("NOAUTH", "WRONGPASS", "Authentication")
    ):
        return NotUsable(Trouble.PASSWORD, "it wants another one" if "NOAUTH" not in said else "it wants one")
    if isinstance(error, NoPermissionError) or "NOPERM" in said:
        return NotUsable(Trouble.FORBIDDEN, said)
    if "No such file" in said or "Connection refused" in said:  # a socket of this machine
        return NotUsable(Trouble.REFUSED, "nobody listens")
    if isinstance(error, TimeoutError) or "imeout" in said or "imed out" in said:
        return NotUsable(Trouble.SILENT, "no answer in time")
    return NotUsable(Trouble.NOT_REDIS, type(error).__name__)
