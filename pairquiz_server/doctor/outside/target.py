"""The server that is looked at, and what is known of it."""

from urllib.parse import urlsplit

from msgspec import Struct

HANDSHAKE = "/socket.io/?EIO=4&transport="
ANSWER_S = 8.0
"""How long one answer may take."""


class Target(Struct, frozen=True):
    """Where a server is, the page from which its clients come, and by which tokens two players may try it.

    `lent` is that these are somebody's own players, whose profiles are left as they are.
    """

    url: str
    origin: str | None = None
    tokens: tuple[str | None, str | None] = (None, None)
    session: str | None = None
    lent: bool = False

    @property
    def secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """The host's name, or its address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, also where the address leaves it out."""
        return urlsplit(self.url).port or (443 if self.secure else 80)

    @property
    def place(self) -> str:
        """Host and port, as people write them."""
        return f"{self.host}:{self.port}"

    @property
    def page(self) -> dict[str, str]:
        """The header that a page's requests have; nothing where no page was named."""
        return {} if self.origin is None else {"Origin": self.origin}

    def handshake(self, transport: str) -> str:
        """Return where a session of this transport begins."""
        return self.url + HANDSHAKE + transport
