"""What stands between us and PostgreSQL: nothing, or a pooler that lends its own sessions to many."""

from collections.abc import Awaitable, Callable
from enum import Enum

import asyncpg

from pairquiz_server.store.queries import load
from pairquiz_server.store.reasons import NoneFree

_QUERIES = load("pooling")
_ROUNDS = 4
_TOO_FEW = "raise its default_pool_size: in session mode each node takes database.pool_max + 2"


class Pooling(Enum):
    """Whose the session is that carries out our statements."""

    NONE = "none"
    """Ours: it ends with the connection."""
    SESSION = "session"
    """Ours for as long as the connection lasts; a pooler had it before, and keeps it."""
    TRANSACTION = "transaction"
    """Anybody's: each transaction may be carried out by another one."""


async def find_pooling(
    connection: asyncpg.Connection,
    connect: Callable[..., Awaitable[asyncpg.Connection]],
    declared: bool | None,
    patience_s: float,
) -> Pooling:
    """Tell what lends a connection its session; `declared` is whether it is a pooler in transaction mode, where known.

    Each answer may take `patience_s`: at an opening nobody waits yet. Raises `NoneFree` where there is no second
    session to lend, and what asyncpg raises; so it does behind a pooler in statement mode, which takes no transactions.
    """
    if not declared and await _is_direct(connection, patience_s):
        return Pooling.NONE
    if declared is False:
        return Pooling.SESSION
    pooling = Pooling.TRANSACTION if declared else await _ask_pooling(connect, patience_s)
    if pooling is Pooling.TRANSACTION:
        for statement in ("BEGIN", "COMMIT"):
            await connection.execute(statement, timeout=patience_s)
    return pooling


async def _is_direct(connection: asyncpg.Connection, patience_s: float) -> bool:
    """Tell whether the session is one that was made for this connection.

    A pooler makes up the process id by which a connection may ask to cancel its query, because the sessions behind it
    change. The statement is a simple one: nothing of ours is left in a session that is somebody else's.
    """
    own = _QUERIES["own"].format(pid=connection.get_server_pid())
    command = await connection.execute(own, timeout=patience_s)
    return bool(command == "SELECT 1")


async def _ask_pooling(connect: Callable[..., Awaitable[asyncpg.Connection]], patience_s: float) -> Pooling:
    first = await connect(statement_cache_size=0, command_timeout=patience_s)
    try:
        second = await connect(statement_cache_size=0, command_timeout=patience_s)
        try:
            return await _compare(first, second)
        finally:
            second.terminate()
    finally:
        first.terminate()


async def _compare(first: asyncpg.Connection, second: asyncpg.Connection) -> Pooling:
    """Tell what a pooler lends to two connections.

    Sessions of their own stay the same, and are two. A pooler in transaction mode lends the session that was given
    back last, or the one that lies longest; each connection is asked twice in a row, so that either shows.
    """
    lent: dict[asyncpg.Connection, int] = {}
    for _ in range(_ROUNDS):
        for connection in (first, second, second, first):
            session = await _session(connection)
            if lent.setdefault(connection, session) != session or len(set(lent.values())) < len(lent):
                return Pooling.TRANSACTION
    return Pooling.SESSION


async def _session(connection: asyncpg.Connection) -> int:
    try:
        found: int = await connection.fetchval(_QUERIES["session"])
    except TimeoutError:
        raise NoneFree("its pooler had no session free", _TOO_FEW) from None
    return found
