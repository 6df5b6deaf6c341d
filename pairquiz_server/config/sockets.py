"""Where a server hears its operator on this machine: one Unix socket a server, by which its database is known."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from pairquiz_server.config.folders import Folders
from pairquiz_server.config.sources import ConfigError

PATH_MAX_BYTES = 100
"""What a Unix socket's address holds (108), less what a port may add to the pattern."""


class AdminSockets(Struct, frozen=True):
    """The sockets of one database's servers: `name` has a `*` in the place of the port, unless it is one for all."""

    folder: Path
    name: str

    def of(self, port: int) -> Path:
        """Return the socket of the server that listens on this port."""
        return self.folder / self.name.replace("*", str(port))

    def found(self, port: int) -> list[Path]:
        """Return the sockets that there are, whether or not somebody listens: the one of this port comes first."""
        own = self.of(port)
        return sorted(self.folder.glob(self.name), key=lambda path: (path != own, path.name))


def admin_sockets(
    text: str, folders: Folders, data_dir: Path, database_url: str | None, *, named_outside: bool
) -> AdminSockets | None:
    """Return where the sockets are, None for "none". Raises `ConfigError`.

    "auto" is the data folder of the embedded PostgreSQL. With another database nobody needs one, and it is a folder of
    this user's below the temporary one. All servers of a database are told apart by their ports alone.
    """
    if text == "none":
        return None
    if text != "auto":
        path = folders.socket(text, named_outside=named_outside)
        if len(os.fsencode(path)) > PATH_MAX_BYTES or "*" in path.name:
            raise ConfigError(f"admin.socket {text!r} is no path of a socket: at most {PATH_MAX_BYTES} bytes, and no *")
        return AdminSockets(path.parent, path.name)
    if database_url is None and len(os.fsencode(data_dir / "admin-*.sock")) <= PATH_MAX_BYTES:
        return AdminSockets(data_dir, "admin-*.sock")
    known_by = _without_password(database_url) if database_url else str(data_dir)
    digest = hashlib.sha256(known_by.encode()).hexdigest()[:12]
    return AdminSockets(_temporary() / f"pairquiz-server-{os.geteuid()}", f"{digest}-*.sock")


def _temporary() -> Path:
    """Return the folder of what is temporary. Where nothing can be written at all, it is one where no socket can be."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path("/tmp")  # noqa: S108


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.username}@{parts.hostname}:{parts.port}{parts.path}"
