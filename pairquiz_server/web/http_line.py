"""The lines that carry HTTP: what one may send before it is understood, and how long it may take, for in and out.

A line whose handshake for a websocket is answered is handed over (`sockets/line`), with its place among the lines.

aiohttp bounds each line of a head, and not the head (1.9 MB a connection); it waits an hour for a head and without
end for a body or for somebody who does not read; and it answers what is no HTTP by text and a traceback. Here a head
has `header_bytes` and `first_request_s`, a body `rest_body_s`, a pause between requests `keepalive_s`; and a line
whose other end takes nothing for `stall_s` is dropped.
"""

import asyncio
from typing import Any, cast

import msgspec
from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from pairquiz_server.protocol.frames import problem
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.bodies import UNREADABLE, BodyTooSlow
from pairquiz_server.web.guard.headers import guard
from pairquiz_server.web.http_lines import HttpLines

LINGER_S = 1.0
"""How long a body that nobody wants is read on, so that its sender comes to read the answer."""
PIPELINED_MAX = 8
"""Requests that may wait behind the one that is answered; no browser sends one before it has its answer."""
_STATUSES = {Code.PAYLOAD_TOO_LARGE: 431, Code.TOO_SLOW: 408}


class HttpLine(RequestHandler):
    """One HTTP connection, from its first byte to its last, or to the end of a websocket's handshake."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_body_since",
        "_head_bytes",
        "_head_since",
        "_lines",
        "_received",
        "_refused",
        "_taking_at",
        "_unsent",
    )

    def __init__(self, manager: web.Server, lines: HttpLines, **options: Any) -> None:
        super().__init__(manager, **options)
        self._lines = lines
        self._received = 0
        """Bytes since the last head was read: of its body, and of heads behind it."""
        self._head_bytes = 0
        self._head_since: float | None = None
        """Since when a head is awaited: from connecting for the first, from its first byte for the others."""
        self._body: StreamReader | None = None
        self._body_since = 0.0
        self._body_bytes = 0
        self._unsent = 0
        self._taking_at = 0.0
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; what aiohttp has for each line (a task, a timer) is for its first request to bring."""
        self.transport = cast(asyncio.Transport, transport)
        if self._manager is not None:
            self._manager.connection_made(self, self.transport)
        self._head_since = self._taking_at = self._loop.time()
        self._lines.opened(self, self.transport)

    @property
    def remote(self) -> str | None:
        """The address of the other end, as a request of aiohttp has it."""
        peer = self.peername
        return peer if peer is None else str(peer[0] if isinstance(peer, (list, tuple)) else peer)

    def _taken_at_the_door(self) -> bool:
        """Offer the line's first request to the door, if it is all that has come; tell whether that has answered it."""
        if self._task_handler is not None or len(self._messages) != 1 or not self._upgraded or self._body is not None:
            return False
        message = self._messages[0][0]
        return isinstance(message, RawRequestMessage) and self._lines.door(self, message)

    def _serve(self) -> None:
        """Let aiohttp answer what has been read, and whatever comes from now on."""
        if self._task_handler is None:
            self._task_handler = self._loop.create_task(self.start())

    def close(self) -> None:
        """Close the line after what is answered now."""
        super().close()
        if self._task_handler is None and not self._messages and self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._lines.ended(self)
        super().connection_lost(exc)

    def hand_over(self, successor: object) -> tuple[asyncio.Transport, bytes] | None:
        """Give the transport away, with what has come behind the handshake; None where it is gone.

        For aiohttp the connection is lost by that: its request, task and parser are free.
        """
        transport, self.transport = self.transport, None
        if transport is None:
            return None
        tail, self._message_tail = self._message_tail, b""
        transport.set_protocol(cast(asyncio.BaseProtocol, successor))
        self._lines.handed_over(self, successor)
        super().connection_lost(None)
        return transport, tail

    def data_received(self, data: bytes) -> None:
        """Take bytes of heads and bodies; behind an upgrade they are none of our business."""
        if self._refused:
            return
        if self._upgraded:
            super().data_received(data)
            return
        self._received += len(data)
        if self._body is not None and not self._body.is_eof():
            self._body_bytes += len(data)
            if self._body_bytes > self._lines.body_bytes:
                self._refused = True  # what is left of it never comes
                return
        elif data:
            if self._head_since is None:
                self._head_since = self._loop.time()
            self._head_bytes += len(data)
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._begun(self._request_count - before)
            if not self._taken_at_the_door():
                self._serve()
        elif self._head_bytes > self._lines.limits.header_bytes:
            self._refuse(self._too_large())

    def _begun(self, requests: int) -> None:
        """Look at requests whose heads have just been read."""
        limit = self._lines.limits.header_bytes
        new = list(self._messages)[-requests:]
        if self._received > limit and any(_head_size(message) > limit for message, _ in new):
            for _ in new:
                self._messages.pop()
            self._refuse(self._too_large())
            return
        self._received = self._head_bytes = 0
        self._head_since = None
        if isinstance(new[-1][0], _ErrInfo):
            self._refused = True  # its parser would find a fault in each further byte
        if len(self._messages) > PIPELINED_MAX:
            self.close()  # after what is answered now
        self._body = new[-1][1]
        if self._body.is_eof():
            self._body = None
        else:
            self._body_since = self._loop.time()
            self._body_bytes = 0

    def look(self, now: float) -> None:
        """Drop the line, or refuse what is half sent, where it has waited for too long."""
        if self.transport is None:
            return
        limits = self._lines.limits
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent:
            self._taking_at = now
        elif now - self._taking_at > limits.stall_s:
            self._lines.refused("stalled_reader", peer=str(self.peername), unsent=str(unsent))
            self.transport.abort()
            return
        self._unsent = unsent
        if self._head_since is not None and now - self._head_since > limits.first_request_s:
            self._head_since = None
            if self._head_bytes:
                self._refuse(
                    Refused(Code.TOO_SLOW, f"The head of a request has {limits.first_request_s:g} s to arrive")
                )
            else:
                self.force_close()
        if self._body is not None and now - self._body_since > limits.rest_body_s:
            if not self._body.is_eof():
                self._body.set_exception(BodyTooSlow(f"The body of a request has {limits.rest_body_s:g} s to arrive"))
            self._body = None

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what could not be read as HTTP, by aiohttp's parser or by us; anything else is a fault of ours."""
        if isinstance(exc, _RefusedHead):
            refusal = exc.refusal
        elif isinstance(exc, LineTooLong):
            refusal = self._too_large()
            status = _STATUSES[refusal.code]
        elif isinstance(exc, HttpProcessingError):
            refusal = Refused(Code.INVALID_PAYLOAD, "This is no HTTP request that can be read")
            status = 400
        else:
            self.log_exception("request_failed", exc_info=exc)
            refusal = Refused(Code.INTERNAL)
        if request.writer is not None and request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: another one cannot be sent")
        return self._answer(refusal, status, request)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer in JSON what aiohttp refuses before our middlewares: an `Expect` that it does not know."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = self._answer(
                Refused(Code.INVALID_PAYLOAD, "The header Expect is not taken: leave it out"), 417, request
            )
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log a fault of ours; whatever anybody can cause by what they send is counted."""
        error = options.get("exc_info")
        if isinstance(error, (*UNREADABLE, HttpProcessingError)):
            self._lines.refused("bad_request", reason=type(error).__name__)
        else:
            super().log_exception(*args, **options)

    def _answer(self, refusal: Refused, status: int, request: web.BaseRequest) -> web.Response:
        """Return the answer to what never comes to the site; the line ends with it."""
        self._lines.refused("bad_request" if status == 400 else refusal.code, peer=str(request.remote))
        response = web.Response(
            body=msgspec.json.encode({"error": problem(refusal)}), status=status, content_type="application/json"
        )
        guard(response.headers)
        response.force_close()
        return response

    def _too_large(self) -> Refused:
        return Refused(
            Code.PAYLOAD_TOO_LARGE, f"The head of a request has at most {self._lines.limits.header_bytes} bytes"
        )

    def _refuse(self, refusal: Refused) -> None:
        """Answer in the line's turn, and read nothing any more; the answer closes it."""
        self._refused = True
        self._head_since = self._body = None
        self._head_bytes = 0
        if self._parser is None:
            return
        error = _ErrInfo(status=_STATUSES[refusal.code], exc=_RefusedHead(refusal), message=refusal.message)
        self._request_count += 1
        # A body without an end: aiohttp reads on for `LINGER_S`, else what is still sent would undo the answer.
        self._messages.append((error, StreamReader(self, 0, loop=self._loop)))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._serve()


class _RefusedHead(Exception):
    """What is wrong with a head, on its way to `handle_error`."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _head_size(message: Any) -> int:
    if isinstance(message, _ErrInfo):
        return 0
    return len(message.path) + sum(len(name) + len(value) + 4 for name, value in message.raw_headers)
