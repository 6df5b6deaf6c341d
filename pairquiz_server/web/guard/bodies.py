"""Bodies whose bytes are not what their heads say, or come too slowly: an answer, and no traceback."""

from aiohttp import web

from pairquiz_server.rules.errors import Code, Refused

REST_BODY_MAX = 64 * 1024
UNREADABLE = (web.RequestPayloadError, ConnectionError)
"""What a body raises through no fault of ours."""


class BodyTooSlow(web.RequestPayloadError):
    """A body that did not arrive in its time."""


async def read_body(request: web.Request) -> bytes:
    """Return a request's whole body.

    Raises `Refused` (`invalid_payload` where it ends early or is compressed, `too_slow`), and aiohttp's
    `HTTPRequestEntityTooLarge` over the request's limit.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(Code.INVALID_PAYLOAD, "A body is taken as it is: send it without Content-Encoding")
    try:
        return await request.read()
    except BodyTooSlow as error:
        raise Refused(Code.TOO_SLOW, str(error)) from None
    except UNREADABLE:
        raise Refused(Code.INVALID_PAYLOAD, "The body ends early, or is not what its head says") from None
