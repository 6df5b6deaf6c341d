"""How long it takes until a server can be spoken to: its name, its line, its certificate."""

import asyncio
import socket
import ssl
import time
from contextlib import suppress
from urllib.parse import urlsplit

from msgspec import Struct

from pairquiz_server.client.errors import NoServer

KNOCK_S = 10.0


class Knock(Struct, frozen=True):
    """Seconds for each, None where there is no TLS; `certificate_until` is until when the certificate holds."""

    dns_s: float
    tcp_s: float
    tls_s: float | None
    certificate_until: float | None


async def knock(url: str) -> Knock:
    """Look a server up, connect, and agree on a key. Raises `NoServer`."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    try:
        async with asyncio.timeout(KNOCK_S):
            return await _knock(host, parts.port or (443 if secure else 80), secure=secure)
    except TimeoutError:
        raise NoServer(f"{host} does not answer within {KNOCK_S:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise NoServer(f"{host} has no certificate that holds ({error.verify_message})") from None
    except ssl.SSLError as error:
        raise NoServer(f"{host} speaks no TLS at that port ({error.reason or error})") from None
    except OSError as error:
        raise NoServer(f"{host} cannot be reached ({error.strerror or error})") from None


async def _knock(host: str, port: int, *, secure: bool) -> Knock:
    begun_at = time.monotonic()
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    known_at = time.monotonic()
    writer = await _first([str(where[0]) for *_, where in found], port)
    there_at = time.monotonic()
    tls_s = until = None
    try:
        if secure:
            await writer.start_tls(ssl.create_default_context(), server_hostname=host)
            tls_s = time.monotonic() - there_at
            certificate = writer.get_extra_info("peercert") or {}
            if "notAfter" in certificate:
                until = float(ssl.cert_time_to_seconds(certificate["notAfter"]))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Knock(known_at - begun_at, there_at - known_at, tls_s, until)


async def _first(addresses: list[str], port: int) -> asyncio.StreamWriter:
    """Connect to the first address that takes us. Raises `OSError`."""
    last = OSError("it has no address")
    for one in addresses:
        try:
            return (await asyncio.open_connection(one, port))[1]
        except OSError as error:
            last = error
    raise last
