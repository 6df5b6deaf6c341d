"""Whether anybody listens at a host's port, and if not, why; and why a certificate that is shown there is not taken."""

import asyncio
import socket
import ssl
from enum import StrEnum


class Why(StrEnum):
    """Why nobody is reached."""

    HOST_UNKNOWN = "host_unknown"
    REFUSED = "refused"
    SILENT = "silent"
    NO_ROUTE = "no_route"


class CertificateFault(StrEnum):
    """Why the certificate of somebody who was reached is not taken."""

    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    HOSTNAME = "hostname"


_CERTIFICATE_FAULTS = {
    9: CertificateFault.EXPIRED,  # or not valid yet
    10: CertificateFault.EXPIRED,
    62: CertificateFault.HOSTNAME,  # a name
    64: CertificateFault.HOSTNAME,  # an address
}
"""By OpenSSL's numbers."""


def certificate_fault(error: ssl.SSLCertVerificationError) -> CertificateFault:
    """Tell why a certificate is not taken."""
    return _CERTIFICATE_FAULTS.get(error.verify_code, CertificateFault.UNTRUSTED)


class Unreachable(Exception):
    """Nobody is reached; the message is the system's reason."""

    def __init__(self, why: Why, reason: str) -> None:
        self.why = why
        super().__init__(reason)


async def reach(host: str, port: int, *, within_s: float) -> None:
    """Knock at every address of a host, until one opens. Raises `Unreachable`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Unreachable(Why.HOST_UNKNOWN, "DNS does not answer") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(Why.HOST_UNKNOWN, getattr(error, "strerror", None) or "it is no host name") from None
    failed: list[OSError] = []
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as knocking:
            knocking.setblocking(False)
            try:
                async with asyncio.timeout(within_s / len(found)):
                    await loop.sock_connect(knocking, address)
            except OSError as error:  # a timeout is one
                failed.append(error)
            else:
                return
    if all(isinstance(error, ConnectionRefusedError) for error in failed):
        raise Unreachable(Why.REFUSED, "connection refused")
    if any(isinstance(error, TimeoutError) for error in failed):
        raise Unreachable(Why.SILENT, "no answer in time")
    only = " (it has only IPv6)" if all(family == socket.AF_INET6 for family, *_ in found) else ""
    raise Unreachable(Why.NO_ROUTE, (failed[-1].strerror or "unreachable") + only)
