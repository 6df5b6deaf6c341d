"""Every inside of a library that this server touches: which, where, why, and of which versions that was read.

Nobody promises that an inside stays. So the start is refused at a version that was not read, and where an inside is
missing; `setup.cfg` has the same bounds. Who reads a new version: compare each row below, then raise both.
"""

from importlib.metadata import version
from typing import Any

import socketio
from engineio.async_drivers.aiohttp import _async as aiohttp_driver
from engineio.async_socket import AsyncSocket
from engineio.payload import Payload
from msgspec import Struct

from pairquiz_server.web import posts
from pairquiz_server.web.transport import Transports
from pairquiz_server.web.websocket import WebSocketDriver


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
    Read("aiohttp", (3, 14, 4), (4,)),
)

SEAMS = (
    Seam(
        socketio.AsyncServer, "_handle_eio_message", "socket.py",
        "a handler is never told whether an acknowledgement was asked for; unknown events get none; "
        '`42["disconnect"]` would run our own handler; binary attachments are collected without bound',
    ),
    Seam(
        socketio.AsyncServer, "_handle_disconnect", "socket.py",
        "no handler is called for a client that is gone before its CONNECT is answered",
    ),
    Seam(
        socketio.AsyncServer, "_handle_eio_disconnect", "socket.py",
        "no handler is called for a client that is gone before its CONNECT is answered",
    ),
    Seam(
        socketio.AsyncServer, "_handle_connect", "socket.py",
        "CONNECT is answered where the packet is read, in its order",
    ),
    Seam(
        aiohttp_driver, "websocket", "websocket.py",
        "its driver has deflate on, passes binary frames on, lets a broken frame end in a traceback, and answers PINGs "
        "where nobody sees them",
    ),
    Seam(
        aiohttp_driver, "translate_request", "posts.py",
        "a POST body that arrives in two segments would be cut after the first",
    ),
    Seam(
        Payload, "max_decode_packets", "posts.py",
        "16 packets a POST are fewer than a client may have kept while it was offline",
    ),
    Seam(
        AsyncSocket, "close", "transport.py",
        "a session ends at once with its only websocket, and when it was silent for too long: python-engineio waits "
        "for its writer first, and looks at each session only so often",
    ),
)  # fmt: skip


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
    eio._async = {
        **eio._async,
        "websocket": lambda handler, server: WebSocketDriver(handler, transports),
        "translate_request": posts.with_whole_body(eio._async["translate_request"]),
    }
    Payload.max_decode_packets = posts.PACKETS_A_POST


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _name(owner: Any) -> str:
    return "engineio.async_drivers.aiohttp" if isinstance(owner, dict) else f"{owner.__module__}.{owner.__qualname__}"
