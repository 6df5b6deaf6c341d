"""Requests whose bytes are not what they say: an answer, and no traceback."""

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.refusals import Refusals

_UNREADABLE = (web.RequestPayloadError, ConnectionError)
_server_log = logging.getLogger("aiohttp.server")


async def read_body(request: web.Request) -> bytes:
    """Return a request's whole body.

    Raises `Refused` (`invalid_payload`) where it ends early or cannot be decoded, and aiohttp's
    `HTTPRequestEntityTooLarge` over the request's limit.
    """
    try:
        return await request.read()
    except _UNREADABLE:
        raise Refused(Code.INVALID_PAYLOAD, "The body ends early, or is not encoded as its headers say") from None


def count_unreadable_requests(site: web.Application, refusals: Refusals) -> None:
    """Count, while the site runs, what is no HTTP: aiohttp logs a traceback for each, which anybody can make it do."""

    def is_ours(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, (*_UNREADABLE, HttpProcessingError)):
            return True
        refusals.note("bad_request", reason=type(error).__name__)
        return False

    async def stop(_: web.Application) -> None:
        _server_log.removeFilter(is_ours)

    _server_log.addFilter(is_ours)
    site.on_cleanup.append(stop)
