"""Bare TCP to a server, for what no HTTP client would send; an answer is read as far as the server closes."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE_S = 20.0


class Raw:
    """One TCP connection."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, every_s: float = 0.02) -> None:
        """Send bytes one by one, for as long as they are taken."""
        for byte in data:
            if self.writer.is_closing():
                return
            self.writer.write(bytes([byte]))
            await asyncio.sleep(every_s)

    async def ended(self) -> bytes:
        """Return all that came until the server closed."""
        received = b""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while data := await self.reader.read(65536):
                    received += data
        except ConnectionError:
            pass  # it closes while we are still sending
        return received

    async def error(self) -> tuple[int, Any]:
        """Return the status and the `error` of the answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            assert b"content-type: application/json" in head, head
            length = int(head.partition(b"content-length:")[2].split()[0])
            return int(head.split()[1]), json.loads(await self.reader.readexactly(length))["error"]
