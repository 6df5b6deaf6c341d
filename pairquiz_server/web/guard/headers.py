"""What every answer tells a browser: take it for what it says it is, keep it nowhere, and show it in no frame.

No answer has a cookie: who somebody is stands in a token, that a page sends on purpose and no browser by itself.
"""

from collections.abc import MutableMapping

from aiohttp import hdrs, web

NOTHING_TO_LOAD = "default-src 'none'; frame-ancestors 'none'"
"""The content security policy of what is no page."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    hdrs.SERVER: "pairquiz-server",  # aiohttp would name itself, Python, and the versions of both
}
_UNLESS_SAID = {
    "Content-Security-Policy": NOTHING_TO_LOAD,
    hdrs.CACHE_CONTROL: "no-store",
}


def guard_answers(site: web.Application) -> None:
    """Put the headers on whatever the site answers, its errors and its handshakes too."""
    site.on_response_prepare.append(_guard)


async def _guard(request: web.Request, response: web.StreamResponse) -> None:
    guard(response.headers)


def guard(headers: MutableMapping[str, str]) -> None:
    """Put the headers on an answer that no route has made."""
    headers.update(_ALWAYS)
    for name, value in _UNLESS_SAID.items():
        headers.setdefault(name, value)
