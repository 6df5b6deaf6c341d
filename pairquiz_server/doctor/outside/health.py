"""What the server says of itself, if it is one of ours."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession

from pairquiz_server import __version__
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import outside as faults
from pairquiz_server.doctor.finding import Fault, Finding, ok, skipped
from pairquiz_server.doctor.outside.target import Target

OURS = "pairquiz-server"
_NO_UPSTREAM = (502, 503, 504)
_READY: dict[str, Fault] = {
    "database": faults.READY_DATABASE,
    "migrations": faults.READY_MIGRATIONS,
    "durability": faults.READY_DURABILITY,
    "redis": faults.READY_REDIS,
    "draining": faults.READY_DRAINING,
}
_PROXIES = ("Via", "X-Cache", "CF-RAY", "X-Served-By", "X-Varnish", "Fly-Request-Id", "X-Render-Origin-Server")


async def look_at_server(target: Target, http: ClientSession) -> Findings:
    """Yield whether a server of ours lives there."""
    name = "server"
    try:
        async with http.get(f"{target.url}/healthz", allow_redirects=False) as answer:
            said = await answer.text(errors="replace")
            yield _lives(target, answer, said)
            if _is_alive(said):
                yield _proxies(answer)
    except TimeoutError:
        yield faults.URL_SILENT.found(name, place=target.place, url=target.url)
    except ClientError:
        yield faults.URL_NOT_OURS.found(name, url=target.url, said="no HTTP")


async def look_at_readiness(target: Target, http: ClientSession) -> Findings:
    """Yield each check of `/readyz` that does not hold."""
    async with http.get(f"{target.url}/readyz") as answer:
        told = _json(await answer.read())
    checks = told.get("checks")
    if not isinstance(checks, dict):
        yield faults.READY_OTHER.found("readiness", url=target.url, said=f"HTTP {answer.status}")
        return
    failed = [name for name, outcome in checks.items() if outcome != "ok"]
    for name in failed:
        yield _READY.get(name, faults.READY_OTHER).found(f"readiness: {name}", url=target.url, said=name)
    if not failed:
        yield ok("readiness", ", ".join(checks))


async def look_at_version(target: Target, http: ClientSession) -> Findings:
    """Yield the version, as the contract that the server shows says it."""
    async with http.get(f"{target.url}/openapi.json") as answer:
        told = _json(await answer.read())
    version = told.get("info", {}).get("version")
    if not isinstance(version, str):
        yield skipped("version", "the server does not tell")
    elif version != __version__:
        yield faults.VERSION_OTHER.found("version", theirs=version, ours=__version__)
    else:
        yield ok("version", version)


def _lives(target: Target, answer: ClientResponse, said: str) -> Finding:
    if 300 <= answer.status < 400:
        place = urlsplit(answer.headers.get("Location", ""))
        where = f"{place.scheme}://{place.netloc}" if place.netloc else target.url
        return faults.URL_REDIRECTS.found("server", url=target.url, place=where)
    if answer.status in _NO_UPSTREAM:
        return faults.URL_NO_UPSTREAM.found("server", url=target.url, status=answer.status)
    if answer.status != 200 or not _is_alive(said):
        shown = f"HTTP {answer.status}, {said[:40]!r}"
        return faults.URL_NOT_OURS.found("server", url=target.url, said=shown)
    return ok("server", f"a pairquiz-server lives at {target.url}")


def _proxies(answer: ClientResponse) -> Finding:
    """Say what stands before the server, as far as its answers show it."""
    seen = [name for name in _PROXIES if name in answer.headers]
    server = answer.headers.get("Server", "")
    if server != OURS:
        seen.insert(0, server or "something that hides the server's name")
    if not seen:
        return ok("proxies", "none shows itself; PAIRQUIZ_SERVER__TRUSTED_PROXIES has to count those that there are")
    shown = ", ".join(seen)
    return ok("proxies", f"answers come by {shown}: PAIRQUIZ_SERVER__TRUSTED_PROXIES has to count each on the way")


def _is_alive(said: str) -> bool:
    return _json(said.encode(errors="replace")) == {"status": "ok"}


def _json(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
