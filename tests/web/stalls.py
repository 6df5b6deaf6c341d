"""Readers that stall. Run by hand: `python -m tests.web.stalls --readers 500` (see its help)."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

RECEIVE_BUFFER = 4096


class Deaf:
    """A player's websocket that asks and does not read what it is answered."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.cut = asyncio.Event()

    async def ask(self, frame: str, *, every_s: float = 0.002) -> None:
        """Send a frame again and again, until the server has cut the line."""
        loop = asyncio.get_running_loop()
        data = text_frame(frame)
        with suppress(OSError):
            while True:
                await asyncio.wait_for(loop.sock_sendall(self._line, data), 30)
                await asyncio.sleep(every_s)
        self.cut.set()


@asynccontextmanager
async def deaf(url: str, token: str, *, receive_buffer: int = RECEIVE_BUFFER) -> AsyncIterator[Deaf]:
    """Connect a player, read up to its first greeting, and never again."""
    loop = asyncio.get_running_loop()
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        address = urlsplit(url)
        await loop.sock_connect(line, (address.hostname, address.port))
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        upgrade += base64.b64encode(bytes(16)).decode()
        await loop.sock_sendall(line, f"GET /ws/ HTTP/1.1\r\nHost: server\r\n{upgrade}\r\n\r\n".encode())
        assert (await loop.sock_recv(line, 1024)).startswith(b"HTTP/1.1 101")
        await loop.sock_sendall(line, text_frame("40" + json.dumps({"token": token})))
        yield Deaf(line)
    finally:
        line.close()


def text_frame(text: str) -> bytes:
    """A websocket frame whose mask is zeros."""
    data = text.encode()
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data
