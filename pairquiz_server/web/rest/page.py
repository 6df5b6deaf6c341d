"""The page to play on: at the top, and where `join_url` and challenge links lead.

All that is answered was read at the start: no path that anybody asks for is ever looked up on the disk.
"""

from aiohttp import web

from pairquiz_server.config import Settings
from pairquiz_server.web.rest.built import BuiltFile, read_built
from pairquiz_server.web.rest.giving import ASK_AGAIN, file_answer
from pairquiz_server.web.rest.no_page import no_page
from pairquiz_server.web.rest.routes import Route, RouteHandler

PLACES = ("/", "/pair-quiz/{session_id}", "/pair-quiz/challenge/{code}")
"""Where a person arrives. The page itself reads what the link says."""
FOR_EVER = "public, max-age=31536000, immutable"
"""How long a file may be kept whose name has its content's hash."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page speaks to its own server, and runs what came from there as a file."""
_ALONE = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page_routes(settings: Settings) -> list[Route]:
    """Return (method, path, handler) of the page and of what it loads, or of what is said where there is none."""
    if settings.page is None:
        nothing = no_page(says_how=settings.page_missing)
        return [("GET", place, nothing) for place in PLACES]
    files = read_built(settings.page)
    index = _giving(files.pop("index.html"), cache=ASK_AGAIN, headers=_ALONE)
    return [
        *(("GET", place, index) for place in PLACES),
        *(("GET", f"/{path}", _giving(file, cache=_cache(path))) for path, file in files.items()),
    ]


def _cache(path: str) -> str:
    return FOR_EVER if path.startswith("assets/") else ASK_AGAIN


def _giving(file: BuiltFile, *, cache: str, headers: dict[str, str] | None = None) -> RouteHandler:
    """Return what answers with a file."""

    async def give(request: web.Request) -> web.StreamResponse:
        return file_answer(request, file, cache=cache, headers=headers)

    return give
