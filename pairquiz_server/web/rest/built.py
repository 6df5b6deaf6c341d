"""The built page: each of its files, read once, at the start, as it is and as its build has compressed it."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from pairquiz_server.web.rest.codings import IDENTITY

SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""By the content coding, from the smallest: what the build appends to the name of a compressed file."""
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Not what the machine thinks: machines differ, and a browser runs no script that is called otherwise."""


class BuiltFile(Struct, frozen=True):
    """One file. `bodies` is by content coding, and has at least `identity`; `digest` is the same for all of them."""

    kind: str
    bodies: Mapping[str, bytes]
    digest: str


def read_built(folder: Path) -> dict[str, BuiltFile]:
    """Read every file of a built page, by its path below the folder. What begins with a dot is none of it."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths if path.suffix not in SUFFIXES.values()}


def _read(path: Path) -> BuiltFile:
    whole = path.read_bytes()
    compressed = {coding: path.with_name(path.name + suffix) for coding, suffix in SUFFIXES.items()}
    return BuiltFile(
        kind=_KINDS.get(path.suffix, "application/octet-stream"),
        bodies={
            **{coding: smaller.read_bytes() for coding, smaller in compressed.items() if smaller.is_file()},
            IDENTITY: whole,
        },
        digest=sha256(whole).hexdigest()[:32],
    )
