"""Where a request comes from, when proxies stand in between."""

from aiohttp import web


def client_address(request: web.BaseRequest, trusted_proxies: int) -> str:
    """Return the client's address: the peer's, or what the outermost trusted proxy saw.

    Each proxy appends the address that it saw to X-Forwarded-For, so that only as many entries from the right are
    true as there are proxies of ours; what stands further left is the client's own claim.
    """
    seen = [request.remote or ""]
    for header in reversed(request.headers.getall("X-Forwarded-For", [])):
        seen += [part.strip() for part in reversed(header.split(","))]
    return seen[min(trusted_proxies, len(seen) - 1)]
