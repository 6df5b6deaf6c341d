"""Answers that are smaller on the way than they are: what is read by GET, where that saves a packet at least.

Only what is read: an answer to a POST has a code or the like, and is short. No secret can be guessed by its length here
(BREACH), as no browser sends who somebody is by itself: it stands in a token, and no answer has a cookie.
"""

import asyncio
import zlib

from aiohttp import hdrs, web

from pairquiz_server.web.rest.codings import best_coding
from pairquiz_server.web.rest.routes import RouteHandler

WORTH_BYTES = 1400
"""What is smaller goes in one packet anyway, with its head."""
ASIDE_BYTES = 32 * 1024
"""What is larger takes a millisecond or more, and is compressed in a thread, where it keeps nobody waiting."""
LEVEL = 5
"""Each further one costs more than it saves (docs/deployment.md has the figures)."""
GZIP = "gzip"
_AS_GZIP = 16 + zlib.MAX_WBITS


def compressing(handler: RouteHandler) -> RouteHandler:
    """Return a handler that answers the same, compressed where that is taken and pays."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        if isinstance(response, web.Response) and hdrs.CONTENT_ENCODING not in response.headers:
            await _compress(request, response)
        return response

    return answer


def takes_gzip(request: web.Request) -> bool:
    """Tell whether an answer may come as gzip."""
    return best_coding(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())), (GZIP,)) == GZIP


def gzipped(body: bytes, level: int = LEVEL) -> bytes:
    """Compress a body."""
    return zlib.compress(body, level, wbits=_AS_GZIP)


async def _compress(request: web.Request, response: web.Response) -> None:
    body = response.body
    # What has an ETag knows itself what it is the mark of.
    if not isinstance(body, bytes) or len(body) < WORTH_BYTES or response.etag is not None:
        return
    response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
    if not takes_gzip(request):
        return
    response.body = gzipped(body) if len(body) < ASIDE_BYTES else await asyncio.to_thread(gzipped, body)
    response.headers[hdrs.CONTENT_ENCODING] = GZIP
