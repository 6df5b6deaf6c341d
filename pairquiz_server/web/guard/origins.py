"""Which pages may talk to this server: one list for sockets and for REST."""

from collections.abc import Iterable


class Origins:
    """The list of allowed origins; an empty one is nobody but the server's own pages."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.listed = frozenset(allowed)

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Tell whether a request with this `Origin` to this `Host` may pass.

        A request without an origin comes from no page. `null` (a sandboxed page, a file) passes only where it is
        listed by name, because every such page has it.
        """
        if origin is None or origin in self.listed:
            return True
        if origin == "null":
            return False
        if "*" in self.listed:
            return True
        return origin.lower() in _own(host) if host else False


def _own(host: str) -> tuple[str, str]:
    """Return the origins of a host's own pages: none has its scheme's usual port, which a proxy may put into `Host`."""
    name = host.lower()
    return f"http://{name.removesuffix(':80')}", f"https://{name.removesuffix(':443')}"
