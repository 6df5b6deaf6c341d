"""Whether pages of an origin may talk to the server, and whether browsers hear that they may."""

import json

from aiohttp import ClientSession

from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import outside as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.doctor.outside.target import Target

ALLOWS = "Access-Control-Allow-Origin"
_ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


async def look_at_origin(target: Target, http: ClientSession) -> Findings:
    """Ask as a browser does before a page's request, and as its socket does; yield what would come of it."""
    if target.origin is None:
        yield skipped("origin", "none was given: --origin https://quiz.example")
        return
    async with http.get(target.handshake("polling"), headers=target.page) as answer:
        said = await answer.text(errors="replace")
        if answer.status == 403 and '"forbidden"' in said:
            yield faults.ORIGIN_BLOCKED.found("origin", origin=target.origin, setting=json.dumps([target.origin]))
            return
        yield _heard(target, "origin: sockets", answer.status, answer.headers.getall(ALLOWS, []))
    async with http.options(f"{target.url}/api/topics/", headers=target.page | _ASKS) as answer:
        yield _heard(target, "origin: REST", answer.status, answer.headers.getall(ALLOWS, []))


def _heard(target: Target, name: str, status: int, allows: list[str]) -> Finding:
    """Judge what a browser hears."""
    if len(allows) > 1 or any("," in one for one in allows):
        return faults.CORS_DOUBLED.found(name, said=", ".join(allows))
    if status >= 400 or not allows or allows[0] not in ("*", target.origin):
        header = f"Origin: {target.origin}"
        return faults.CORS_STRIPPED.found(name, origin=target.origin, status=status, header=header, url=target.url)
    return ok(name, f"pages of {target.origin} may talk to it")
