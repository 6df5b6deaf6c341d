"""aiohttp's runner and server, with connections of ours: it takes no class of them."""

from aiohttp import web

from pairquiz_server.web.http_line import LINGER_S, HttpLine
from pairquiz_server.web.http_lines import HttpLines


class _LineServer(web.Server):
    """Makes an `HttpLine` of each connection."""

    def __init__(self, made: web.Server, lines: HttpLines) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,
        )
        self._lines = lines

    def __call__(self) -> HttpLine:
        return HttpLine(self, self._lines, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the site on lines of ours."""

    def __init__(self, site: web.Application, lines: HttpLines, *, shutdown_timeout: float) -> None:
        super().__init__(
            site,
            access_log=None,
            auto_decompress=False,
            shutdown_timeout=shutdown_timeout,
            keepalive_timeout=lines.limits.keepalive_s,
            tcp_keepalive=False,  # a line that is silent ends by limits of ours, long before the kernel would ask
            lingering_time=LINGER_S,
            max_line_size=lines.limits.header_bytes,
            max_field_size=lines.limits.header_bytes,
        )
        self._lines = lines

    async def _make_server(self) -> web.Server:
        return _LineServer(await super()._make_server(), self._lines)
