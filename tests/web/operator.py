"""An operator at a server in this process: by the token, or by a socket in a folder of the test's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pairquiz_server.cli.operator_line import OperatorLine, Reach, operator_line
from pairquiz_server.protocol.admin import AuditEntry, AuditPage
from pairquiz_server.web.admin.socket import claimed, listening
from tests.conftest import Server

TOKEN = "a token of the operator of this server"
WITH_TOKEN = {"PAIRQUIZ_ADMIN__TOKEN": TOKEN}


@asynccontextmanager
async def operator(server: Server, *, name: str = "ada", token: str = TOKEN) -> AsyncIterator[OperatorLine]:
    async with operator_line(Reach(url=server.url, token=token, name=name)) as line:
        yield line


@asynccontextmanager
async def heard_at(server: Server, path: Path) -> AsyncIterator[None]:
    """Let an operator in by a socket, as `serve` does."""
    with claimed(path) as bound:
        async with listening(server.running.admin_site, bound):
            yield


@asynccontextmanager
async def operator_by_socket(server: Server, folder: Path) -> AsyncIterator[OperatorLine]:
    path = folder / "admin.sock"
    async with heard_at(server, path), operator_line(Reach(sockets=[path])) as line:
        yield line


async def audit(line: OperatorLine) -> list[AuditEntry]:
    """What was done, the first first."""
    return (await line.ask("show_audit", AuditPage)).entries[::-1]
