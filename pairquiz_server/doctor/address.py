"""Whether the server can listen where it should, and which pages may talk to it."""

import errno
import ipaddress
import json
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp

from pairquiz_server.config import DEVELOPMENT_ORIGINS, Settings
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import here as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.web.guard.origins import Origins

KNOCK_S = 3.0
_LISTENS = "0A"
"""A socket that listens, in the kernel's table."""


def open_to_others(host: str) -> bool:
    """Tell whether others than this machine can reach an address."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


async def look_at_address(settings: Settings, own_url: str) -> Findings:
    """Take the address for a moment, and yield whether that goes; a server of ours on it is found at `own_url`."""
    host, port = settings.server.host, settings.server.port
    name = "address"
    if port == 0:
        yield ok(name, f"{host}, on any port that is free")
        return
    try:
        _take(host, port)
    except UnicodeError:
        yield faults.ADDRESS_NOT_HERE.found(name, host=host, reason="it is no host name")
    except PermissionError:
        yield faults.PORT_FORBIDDEN.found(name, port=port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            yield faults.ADDRESS_NOT_HERE.found(name, host=host, reason=error.strerror)
        elif await _is_ours(own_url):
            yield ok(name, f"a pairquiz-server runs there: look at it by  pairquiz-server doctor --url {own_url}")
        else:
            other = port + 1 if port < 65535 else 8000
            yield faults.PORT_IN_USE.found(name, host=host, port=port, other=other, by=_by_whom(port))
    else:
        yield ok(name, f"{host}:{port} is free")


async def look_at_origins(settings: Settings, origin: str | None) -> Findings:
    """Yield which pages may talk to the server, and whether those of `origin` may."""
    name, allowed = "origins", settings.allowed_origins
    if "*" in allowed and not settings.guests_allowed:
        yield faults.ORIGINS_EVERYBODY.found(name)
    elif open_to_others(settings.server.host) and set(allowed) == set(DEVELOPMENT_ORIGINS):
        yield faults.ORIGINS_OF_DEVELOPMENT.found(name)
    else:
        yield ok(name, "pages of " + (", ".join(allowed) if allowed else "the server's own address alone"))
    if origin is not None:
        yield origin_found(origin, allowed)
    else:
        yield skipped("origin", "none was given: --origin https://quiz.example")


def as_browsers_write(origin: str) -> str:
    """Return an origin, or the address of a page, as browsers send it: without a path, and without the usual port."""
    scheme, separator, rest = origin.strip().lower().partition("://")
    host = rest.partition("/")[0]
    usual = {"http": ":80", "https": ":443"}.get(scheme, "")
    return f"{scheme}{separator}{host.removesuffix(usual) if usual else host}"


def origin_found(origin: str, allowed: tuple[str, ...]) -> Finding:
    """Judge whether pages of an origin may talk to a server that allows these."""
    if Origins(allowed).allows(origin, None):
        return ok("origin", f"pages of {origin} may talk to this server")
    written = as_browsers_write(origin)
    near = [one for one in allowed if _alike(one) == _alike(written)]
    hint = ""
    if written in allowed:
        hint = f": browsers write it {written}, and so it would be allowed"
    elif near:
        hint = f", only those of {near[0]}, which is another one for browsers"
    return faults.ORIGIN_NOT_ALLOWED.found("origin", origin=origin, hint=hint, setting=json.dumps([*allowed, written]))


def _alike(origin: str) -> str:
    """Return what is left of an origin without what is easily mistaken: http for https, www, the port."""
    host = origin.partition("://")[2].removeprefix("www.")
    return host.partition(":")[0]


def _take(host: str, port: int) -> None:
    """Listen for a moment, as the server does. Raises `OSError`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)


async def _is_ours(url: str) -> bool:
    """Tell whether a server of ours answers there."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=KNOCK_S)) as session,
            session.get(f"{url}/healthz", allow_redirects=False) as answer,
        ):
            return answer.headers.get("Server") == "pairquiz-server" and answer.status == 200
    except (aiohttp.ClientError, OSError):
        return False


def _by_whom(port: int) -> str:
    """Say which process listens on a port, as far as this user may see it."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or one that has just ended
            if any(_leads_to(file) in sockets for file in (process / "fd").iterdir()):
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return "a program that this user may not see"


def _leads_to(file: Path) -> str:
    """Return what an open file is; one that was closed meanwhile is nothing."""
    try:
        return str(file.readlink())
    except OSError:
        return ""


def _listening_inodes(port: int) -> list[str]:
    """Return the kernel's numbers of the sockets that listen on a port."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            _, local, _, state, *rest = row.split()
            if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                found.append(rest[5])
    return found
