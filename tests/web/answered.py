"""Bytes to the server as they are, for what no HTTP client would send."""

import asyncio
from typing import NamedTuple

PATIENCE_S = 10.0
NOTHING_TO_LOAD = "default-src 'none'; frame-ancestors 'none'"


class Answer(NamedTuple):
    """One HTTP answer; `headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(url: str, request: bytes) -> Answer:
    """Send bytes, and return the first answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            return await answer(reader, bodiless=request.startswith(b"HEAD "))
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Answer:
    """Read one answer. Raises `EOFError` where the server closes without one."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = b"" if bodiless else await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split(" ")[1]), headers, body)


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{line} HTTP/1.1", "Host: x", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def guarded(answer: Answer, policy: str = NOTHING_TO_LOAD) -> bool:
    """Whether an answer says what every answer of the server says."""
    headers = answer.headers
    return (
        headers["x-content-type-options"] == "nosniff"
        and headers["referrer-policy"] == "no-referrer"
        and headers["content-security-policy"] == policy
        and "set-cookie" not in headers
        and headers["server"] == "pairquiz-server"
        and "x-powered-by" not in headers
    )
