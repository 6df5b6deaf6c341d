"""What a person sees who opens a server without a page to play on: what is here, and what is not.

It needs no script. Its one style is allowed by its hash, so that nothing else that might ever get into it would work.
"""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

from pairquiz_server.web.rest.routes import RouteHandler

_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_HOW = re.compile(rb"<p id=\"how\">.*?</p>\n", re.DOTALL)


def no_page(*, says_how: bool) -> RouteHandler:
    """Return what answers where a page would be; `says_how` to build it, to whoever runs this server."""
    body = files("pairquiz_server.web.rest").joinpath("no_page.html").read_bytes()
    if not says_how:
        body = _HOW.sub(b"", body)
    policy = _policy(body)

    async def show(request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=body,
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"},
        )

    return show


def _policy(body: bytes) -> str:
    """Allow exactly the styles that are in the page."""
    hashes = (f"'sha256-{b64encode(sha256(style).digest()).decode()}'" for style in _STYLE.findall(body))
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {' '.join(hashes)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
