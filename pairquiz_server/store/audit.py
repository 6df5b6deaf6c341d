"""What operators have done: one method for each query of sql/queries/audit.sql."""

import msgspec
from msgspec import Raw, Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("audit")
_OPERATOR_TIMEOUT_S = 60.0


class Deed(Struct, frozen=True, kw_only=True):
    """Who does something, by which way (`socket`, `token` or `database`), and at which node, None for none."""

    actor: str
    via: str
    node: str | None = None


class AuditLine(Struct, frozen=True):
    """One deed, as it was noted; `at` is in milliseconds."""

    id: int
    at: int
    actor: str
    via: str
    node: str | None
    action: str
    subject: str | None
    detail: Raw


class Audit:
    """The audit of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, deed: Deed, action: str, subject: str | None = None, **detail: object) -> None:
        """Write a line, before what it tells of is done. Of `detail`, what is None is left out."""
        await self._database.fetch(
            _QUERIES["note"], deed.actor, deed.via, deed.node, action, subject, detailed(**detail)
        )

    async def read(self, *, within_s: float | None = None, subject: str | None = None, limit: int) -> list[AuditLine]:
        """Return the latest lines, the newest first: of the last seconds, and of one match or player."""
        records = await self._database.fetch(_QUERIES["read"], within_s, subject, limit, timeout_s=_OPERATOR_TIMEOUT_S)
        return [AuditLine(**{**record, "detail": Raw(record["detail"].encode())}) for record in records]


def detailed(**detail: object) -> str:
    """Return how something is done as it stands in the audit: without what is None."""
    return msgspec.json.encode({key: value for key, value in detail.items() if value is not None}).decode()
