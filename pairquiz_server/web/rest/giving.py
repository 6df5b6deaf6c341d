"""An answer with a file: compressed where that is taken, and not at all where it is there already."""

from aiohttp import hdrs, web

from pairquiz_server.web.rest.built import BuiltFile
from pairquiz_server.web.rest.codings import IDENTITY, best_coding

ASK_AGAIN = "no-cache"
"""It may be kept, and is asked about each time."""


def file_answer(
    request: web.Request, file: BuiltFile, *, cache: str, headers: dict[str, str] | None = None
) -> web.Response:
    """Return the answer to a GET of a file, which has an ETag for each coding."""
    offered = [coding for coding in file.bodies if coding != IDENTITY]
    coding = best_coding(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())), offered)
    response = web.Response(headers={**(headers or {}), hdrs.CACHE_CONTROL: cache, hdrs.CONTENT_TYPE: file.kind})
    response.etag = f"{file.digest}-{coding}"
    if offered:
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if any(known.value in ("*", f"{file.digest}-{coding}") for known in request.if_none_match or ()):
        response.set_status(304)
        return response
    if coding != IDENTITY:
        response.headers[hdrs.CONTENT_ENCODING] = coding
    response.body = file.bodies[coding]
    return response
