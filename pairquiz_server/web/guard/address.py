"""Where a request comes from, when proxies stand in between."""

import ipaddress
from functools import lru_cache
from typing import Protocol

from multidict import CIMultiDictProxy

_IPV6_NETWORK_BITS = 64
"""What one subscriber has at least: who has one address of it has them all."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Asker(Protocol):
    """What is looked at of a request."""

    @property
    def remote(self) -> str | None:
        """The peer's address, if it has one."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """What stands in its head."""


def client_address(request: Asker, trusted_proxies: int) -> str:
    """Return the client's address: the peer's, or what the outermost trusted proxy saw.

    Each proxy appends the address that it saw to X-Forwarded-For, so that only as many entries from the right are
    true as there are proxies of ours; what stands further left is the client's own claim. Where an entry is no
    address (or there is none, because the request came past a proxy), what came before it holds.
    """
    address = request.remote or ""
    if not trusted_proxies:
        return address
    entries = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for entry in reversed(entries[-trusted_proxies:]):
        seen = _without_port(entry.strip())
        if _parsed(seen) is None:
            break
        address = seen
    return address


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Return what counts as one address: an IPv4 address, an IPv6 network of 64 bits, else the text itself."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    bits = int(parsed) >> (128 - _IPV6_NETWORK_BITS) << (128 - _IPV6_NETWORK_BITS)
    return f"{ipaddress.IPv6Address(bits)}/{_IPV6_NETWORK_BITS}"


def _parsed(address: str) -> Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None


def _without_port(entry: str) -> str:
    """Return an entry without its port: `1.2.3.4:567`, `[::1]:567` and `[::1]` are written, too."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
