"""Every inside of a library that this server touches: which, where, why, and of which versions that was read.

Nobody promises that an inside stays. So the start is refused at a version that was not read, and where an inside is
missing; `setup.cfg` has the same bounds. Who reads a new version: compare each row below, then raise both.
"""

import time
from functools import partial
from importlib.metadata import version
from typing import Any

import engineio
import socketio
from aiohttp import web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.web_protocol import RequestHandler
from engineio import async_socket, base_socket
from engineio.async_drivers.aiohttp import _async as aiohttp_driver
from engineio.async_socket import AsyncSocket
from engineio.payload import Payload
from msgspec import Struct

from pairquiz_server.web import gate
from pairquiz_server.web.sockets import posts
from pairquiz_server.web.sockets.transport import Transports
from pairquiz_server.web.sockets.websocket import upgrade


class UnknownLibrary(Exception):
    """A library whose insides were not read; the message is one line that says what to install."""


class Read(Struct, frozen=True):
    """The versions of a library whose insides were read: from the first, up to and without the end."""

    library: str
    first: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def requirement(self) -> str:
        """What to ask pip for."""
        return f"{self.library}>={_text(self.first)},<{_text(self.end)}"


class Seam(Struct, frozen=True):
    """One inside that is replaced, overridden or used. `owner` is a class or a table of the library."""

    owner: Any
    name: str
    file: str
    why: str


READ = (
    Read("python-socketio", (5, 18), (5, 19)),
    Read("python-engineio", (4, 15), (4, 16)),
    Read("aiohttp", (3, 14, 4), (3, 15)),
)

SEAMS = (
    Seam(
        socketio.AsyncServer, "_handle_eio_message", "sockets/server.py",
        "a handler is never told whether an acknowledgement was asked for; unknown events get none; "
        '`42["disconnect"]` would run our own handler; binary attachments are collected without bound',
    ),
    Seam(
        socketio.AsyncServer, "_handle_eio_disconnect", "sockets/server.py",
        "its manager looks through all connections at the end of each; no handler is called for a client that is gone "
        "before its CONNECT is answered",
    ),
    Seam(
        engineio.AsyncServer, "handle_request", "sockets/server.py",
        "it reads a websocket's handshake a second time; `open_websocket` begins the same session",
    ),
    *(
        Seam(engineio.AsyncServer, name, "sockets/server.py", "a websocket's session is one of the library's")
        for name in ("generate_id", "_handle_connect")
    ),
    Seam(
        aiohttp_driver, "websocket", "sockets/websocket.py",
        "its driver has deflate on, passes binary frames on, lets a broken frame end in a traceback, answers PINGs "
        "where nobody sees them, and costs a connection four tasks",
    ),
    Seam(
        aiohttp_driver, "translate_request", "sockets/posts.py",
        "a POST body that arrives in two segments would be cut after the first",
    ),
    Seam(
        aiohttp_driver, "translate_request", "gate.py",
        "it reads the query a second time, and what is in it twice in another way",
    ),
    Seam(
        Payload, "max_decode_packets", "sockets/posts.py",
        "16 packets a POST are fewer than a client may have kept while it was offline",
    ),
    *(
        Seam(RequestHandler, name, "http_line.py", "a head has no limit but one for each line, and no time of its own")
        for name in ("data_received", "_messages", "_request_count", "_waiter", "_upgraded", "_parser")
    ),
    *(
        Seam(
            RequestHandler, name, "http_line.py",
            "a line has a task and a timer before it has a request, and a websocket's handshake needs neither",
        )
        for name in ("connection_made", "start", "close", "_task_handler", "_manager")
    ),
    *(
        Seam(RequestHandler, name, "http_line.py", "what is no HTTP is answered by text, and logged with a traceback")
        for name in ("handle_error", "log_exception", "finish_response")
    ),
    *(
        Seam(RequestHandler, name, "http_line.py", "a request, a task and a protocol would stay beside each websocket")
        for name in ("_message_tail", "connection_lost")
    ),
    *(
        Seam(
            web.StreamResponse, name, "sockets/websocket.py",
            "aiohttp reads frames by a task and a queue, and takes longer to write the answer than for all else of it",
        )
        for name in ("prepare", "write_eof")
    ),
    Seam(
        AsyncSocket, "__init__", "sockets/websocket.py", "it makes a queue, which a session by a websocket never needs"
    ),
    Seam(
        WebSocketDataQueue, "feed_data", "sockets/reading.py", "a frame is carried out where it arrives"
    ),
    Seam(WebSocketReader, "feed_data", "sockets/reading.py", "frames are read without aiohttp's protocol"),
    *(
        Seam(WebSocketDataQueue, name, "sockets/reading.py", "what is no frame is told there, and the end of the line")
        for name in ("set_exception", "feed_eof")
    ),
    *(
        Seam(AsyncSocket, name, "sockets/line.py", "a session's queue and its writer are a task, and its pings another")
        for name in ("_websocket_handler", "schedule_ping")
    ),
    Seam(
        engineio.AsyncServer, "_service_task", "sockets/beats.py",
        "it looks at each session in turn, by a task and a timer each time",
    ),
    Seam(web.AppRunner, "_make_server", "runner.py", "aiohttp takes no class of ours for its connections"),
    *(
        Seam(vars(module), "time", "seams.py", "a step of the wall clock would end sessions whose pings are under way")
        for module in (async_socket, base_socket)
    ),
    Seam(
        engineio.AsyncServer, "create_queue", "sockets/send_queue.py",
        "its queue has no limit",
    ),
    Seam(
        AsyncSocket, "poll", "sockets/send_queue.py",
        "it takes one packet by `get`, the others by `get_nowait`: so begins a round",
    ),
    Seam(
        socketio.AsyncServer, "_handle_eio_connect", "sockets/server.py",
        "a session that never sends CONNECT would stay for as long as it answers pings",
    ),
    Seam(
        AsyncSocket, "close", "sockets/transport.py",
        "a session ends at once with its only websocket, and when it was silent for too long: python-engineio looks "
        "at each session only so often",
    ),
)  # fmt: skip


class _Monotonic:
    """What python-engineio's sockets take for the module `time`: a step of the wall clock would end sessions."""

    time = staticmethod(time.monotonic)


def check() -> None:
    """Look whether the libraries are those whose insides were read. Raises `UnknownLibrary`."""
    for read in READ:
        installed = version(read.library)
        if not read.first <= _numbers(installed) < read.end:
            raise UnknownLibrary(
                f"{read.library} {installed} is installed, and this server uses insides that were read of others: "
                f"pip install '{read.requirement}'"
            )
    for seam in SEAMS:
        found = seam.name in seam.owner if isinstance(seam.owner, dict) else hasattr(seam.owner, seam.name)
        if not found:
            raise UnknownLibrary(
                f"{_name(seam.owner)} has no {seam.name}, which {seam.file} needs: install the versions of "
                "constraints.txt (pip install -c constraints.txt .)"
            )


def install(eio: Any, transports: Transports) -> None:
    """Put our parts where python-engineio looks for them."""
    transports.manage(eio)
    eio.create_queue = transports.new_queue
    eio._async = {
        **eio._async,
        "websocket": lambda handler, server: partial(upgrade, handler.__self__, transports),
        "translate_request": gate.with_our_query(posts.with_whole_body(eio._async["translate_request"])),
    }
    Payload.max_decode_packets = posts.PACKETS_A_POST
    for module in (async_socket, base_socket):
        module.time = _Monotonic


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _name(owner: Any) -> str:
    if isinstance(owner, dict):
        return str(owner.get("__name__", "engineio.async_drivers.aiohttp"))
    return f"{owner.__module__}.{owner.__qualname__}"
