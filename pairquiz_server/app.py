"""The server as a process: takes its address, serves until a signal, and stops."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import structlog
from aiohttp import web

from pairquiz_server.config import Settings
from pairquiz_server.failure import Failure
from pairquiz_server.node import running
from pairquiz_server.signals import stop_on_signal
from pairquiz_server.web import seams
from pairquiz_server.web.admin.socket import NoSocket, claimed, listening
from pairquiz_server.web.runner import Runner

log = structlog.get_logger("pairquiz.app")

CLOSE_REQUESTS_S = 0.5
"""How long aiohttp waits for a request that is still answered, and as long again when it was cancelled."""
BACKLOG = 1024
SEND_BUFFER = 64 * 1024
"""What the kernel holds for one connection: left alone it grows to megabytes for each that reads nothing."""


class StartError(Failure):
    """The server cannot start, or go on; the message is one line that says why and what to do."""


async def serve(settings: Settings, url: str, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT (see `signals`); `ready` is called when players can come.

    Raises `StartError`.
    """
    try:
        seams.check()
    except seams.UnknownLibrary as error:
        raise StartError(str(error)) from None
    with _operators_socket(settings, listener.getsockname()[1]) as operators:
        await _serve(settings, url, listener, operators, ready)
    log.info("server_stopped")


async def _serve(
    settings: Settings, url: str, listener: socket.socket, operators: socket.socket | None, ready: Callable[[], None]
) -> None:
    stop = stop_on_signal()
    async with running(settings, url) as server, AsyncExitStack() as doors:
        runner = Runner(server.site, server.lines, shutdown_timeout=CLOSE_REQUESTS_S)
        await runner.setup()
        try:
            if operators is not None:
                await doors.enter_async_context(listening(server.admin_site, operators))
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
            log.info("server_started", address="{}:{}".format(*listener.getsockname()[:2]))
            ready()
            await _first(stop, server.failed)
            await server.drain.run()
        finally:
            await runner.cleanup()
        if server.failed.is_set():
            raise StartError("a part of the server has failed (its log says which): start it again")


@contextmanager
def _operators_socket(settings: Settings, port: int) -> Iterator[socket.socket | None]:
    """Claim where the operator is heard on this machine, if that is wanted. A server without it serves all the same.

    Raises `StartError` where the socket was asked for by its name, and cannot be had.
    """
    with ExitStack() as claim:
        bound = None
        if settings.admin_sockets is not None:
            try:
                bound = claim.enter_context(claimed(settings.admin_sockets.of(port)))
            except NoSocket as error:
                if settings.admin.socket != "auto":
                    raise StartError(f"{error}. Name another admin.socket, or none") from None
                log.warning("operator_not_heard", reason=str(error), hint="name a path with PAIRQUIZ_ADMIN__SOCKET")
        yield bound


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


def bind(host: str, port: int) -> socket.socket:
    """Take the address, before anything else is started. Raises `StartError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except UnicodeError:
        raise StartError(f"cannot listen on {host!r}: it is no host name. Choose another with --host") from None
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # what is accepted has the same
        listener.bind(address)
        listener.listen(BACKLOG)  # until then, another process may still take the same address
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from None
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> StartError:
    return StartError(
        f"cannot listen on {host}:{port}: {error.strerror}. Stop what uses the port, or choose another "
        "with --port (--host for the address)"
    )
