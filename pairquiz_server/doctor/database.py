"""Whether the database can be reached, is what the server needs, and is well."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator

from pairquiz_server.config import Settings
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import database as faults
from pairquiz_server.doctor.finding import Fault, Finding, ok, skipped
from pairquiz_server.store.examination import Examination, Facts, Running
from pairquiz_server.store.knocking import NotExaminable, Place, Trouble, place
from pairquiz_server.store.pooling import Pooling

OLDEST = 15
"""The oldest major version that this server was tried on: migrations, questions, and a duel."""
OWN_CONNECTIONS = 2
"""What a server takes beside its pool: the committer's, and the one that tells whether the database answers."""
CLOCK_S = 5
SLOW_MS = 50
LONG_S = 60

_POOLERS = {
    Pooling.NONE: "none stands before it",
    Pooling.SESSION: "one in session mode, which is as none",
    Pooling.TRANSACTION: "one in transaction mode, and the server works so",
}
_FAULTS: dict[Trouble, Fault] = {trouble: getattr(faults, trouble.name) for trouble in Trouble}


class DatabaseCheck:
    """Looks at the database of some settings, at this address; `running` is what it says of the servers on it.

    A transaction of more than `long_s` seconds is told.
    """

    def __init__(self, settings: Settings, url: str, *, long_s: int = LONG_S) -> None:
        self._long_s = long_s
        self._settings = settings
        self._url = url
        self._place = place(url)
        self._pooling = Pooling.NONE
        self.running: Running | None = None

    async def look(self) -> Findings:
        """Yield what there is to say of it; behind the first failure, nothing that rests on it."""
        try:
            database = self._settings.database
            # An embedded one has a socket, and nobody's certificate.
            root_cert = database.ssl_root_cert if self._settings.database_url else ""
            examination = await Examination.begin(self._url, timeout_s=database.connect_timeout_s, root_cert=root_cert)
        except NotExaminable as reason:
            yield self._found("database", reason)
            return
        try:
            async for finding in self._examined(examination):
                yield finding
        except NotExaminable as reason:
            yield self._found("database", reason)
        finally:
            await examination.end()

    async def _examined(self, examination: Examination) -> Findings:
        asked_at = time.time() * 1000
        facts = await examination.facts()
        ahead_s = (facts.now - (asked_at + time.time() * 1000) / 2) / 1000
        yield version_found(facts.version, facts.version_text, f"{self._place.shown}, database {facts.database}")
        yield await self._encryption(examination)
        yield self._writes(facts)
        yield self._durability(facts)
        yield await self._pooler(examination)
        async for finding in self._schema(examination, facts):
            yield finding
        yield clock_found(ahead_s)
        yield pace_found(await examination.round_trip_ms(), self._place.host)
        yield await self._transactions(examination)

    async def _encryption(self, examination: Examination) -> Finding:
        name, encrypted = "database tls", examination.encrypted
        if self._place.local or await asyncio.to_thread(_nearby, self._place.host):
            return ok(name, "encrypted" if encrypted else "not encrypted, and not needed: it is on this network")
        named = any(said in self._url for said in ("verify-full", "verify-ca", "sslrootcert"))
        checked = named or self._settings.database.ssl_root_cert != ""
        return encryption_found(name, self._place, encrypted=encrypted, checked=checked)

    def _writes(self, facts: Facts) -> Finding:
        name = "database role"
        if facts.standby:
            return faults.READ_ONLY.found(name, reason="it is a standby, that follows a primary")
        if facts.read_only:
            return faults.READ_ONLY.found(name, reason="default_transaction_read_only is on")
        if facts.has_schema and not facts.may_write:
            return self._powerless(name, facts, "read and write the tables of the schema pairquiz")
        if not facts.has_schema and not facts.may_create_schema:
            return self._powerless(name, facts, f"create a schema in {facts.database}")
        return ok(name, f"{facts.role} may write")

    def _durability(self, facts: Facts) -> Finding:
        if facts.lax:
            names = " and ".join(facts.lax) + (" are" if len(facts.lax) > 1 else " is")
            return faults.LAX.found("database durability", names=names, name=facts.lax[0])
        return ok("database durability", "what is committed is on disk")

    async def _pooler(self, examination: Examination) -> Finding:
        name = "database pooler"
        try:
            self._pooling = await examination.pooling()
        except NotExaminable as reason:
            return self._found(name, reason)
        if self._pooling is Pooling.TRANSACTION and self._settings.transaction_pooler is False:
            return faults.POOLER_UNDECLARED.found(name)
        return ok(name, _POOLERS[self._pooling])

    async def _schema(self, examination: Examination, facts: Facts) -> AsyncIterator[Finding]:
        name = "database schema"
        if not facts.has_migrations:
            yield faults.SCHEMA_MISSING.found(name, database=facts.database)
            return
        standing = await examination.standing()
        if standing.changed:
            yield faults.MIGRATION_CHANGED.found(name, name=standing.changed[0])
        if standing.newer:
            yield faults.MIGRATIONS_NEWER.found(name, names=", ".join(standing.newer))
        if standing.pending:
            names = ", ".join(standing.pending)
            yield faults.MIGRATIONS_PENDING.found(name, count=len(standing.pending), names=names)
            if not facts.owns_schema:
                yield self._powerless("database role", facts, "change the schema pairquiz, which another role owns")
            return
        if not (standing.changed or standing.newer):
            yield ok(name, "all migrations are applied")
        yield self._exposure(facts)
        self.running = await examination.running()
        yield self._connections(facts, max(1, self.running.alive))

    def _exposure(self, facts: Facts) -> Finding:
        if facts.exposed_to:
            return faults.EXPOSED.found("database exposure", roles=",".join(facts.exposed_to))
        return ok("database exposure", "nobody reads the answers but by the server")

    def _connections(self, facts: Facts, nodes: int) -> Finding:
        name, pool = "database connections", self._settings.database.pool_max
        needed = nodes * (pool + OWN_CONNECTIONS)
        if self._pooling is not Pooling.NONE:
            return skipped(name, "behind a pooler its own limit counts: default_pool_size, max_client_conn")
        if needed > facts.connections:
            fitting = max(1, facts.connections // nodes - OWN_CONNECTIONS)
            return faults.CONNECTIONS_FEW.found(
                name, nodes=nodes, needed=needed, limit=facts.connections, fitting=fitting
            )
        return ok(name, f"{nodes} running may take {needed} of {facts.connections}")

    async def _transactions(self, examination: Examination) -> Finding:
        found = await examination.long_transactions(self._long_s)
        if not found:
            return ok("database transactions", f"none open for more than {self._long_s} s")
        longest = found[0]
        return faults.TRANSACTIONS_LONG.found(
            "database transactions",
            user=longest.role,
            seconds=longest.seconds,
            pid=longest.pid,
            state=longest.state,
        )

    def _powerless(self, name: str, facts: Facts, action: str) -> Finding:
        return faults.POWERLESS.found(name, user=facts.role, database=facts.database, action=action)

    def _found(self, name: str, reason: NotExaminable) -> Finding:
        return trouble_found(name, reason, self._place)


def trouble_found(name: str, reason: NotExaminable, where: Place) -> Finding:
    """Return what a database's trouble is called here."""
    return _FAULTS[reason.trouble].found(
        name,
        reason=str(reason),
        place=where.shown,
        host=where.host,
        user=where.user,
        database=where.database,
        action=f"do what is needed: {reason}",
    )


def encryption_found(name: str, where: Place, *, encrypted: bool, checked: bool) -> Finding:
    """Judge the way to a database that is in a network of others."""
    if not encrypted:
        return faults.UNENCRYPTED.found(name, place=where.shown)
    if not checked:
        return faults.UNVERIFIED.found(name, place=where.shown)
    return ok(name, "encrypted, and the certificate is checked")


def clock_found(ahead_s: float) -> Finding:
    """Judge by how much the database's clock is ahead of this machine's."""
    if abs(ahead_s) > CLOCK_S:
        side = "ahead of" if ahead_s > 0 else "behind"
        return faults.CLOCK.found("database clock", seconds=f"{abs(ahead_s):.0f}", side=side)
    return ok("database clock", f"within {CLOCK_S} s of this machine's")


def pace_found(trip_ms: float, host: str) -> Finding:
    """Judge how long the way to the database and back takes."""
    if trip_ms > SLOW_MS:
        return faults.SLOW.found("database round trip", ms=f"{trip_ms:.0f}", host=host)
    return ok("database round trip", f"{trip_ms:.1f} ms")


def version_found(number: int, text: str, where: str) -> Finding:
    """Judge the version of a PostgreSQL, as `server_version_num` has it."""
    if number // 10_000 < OLDEST:
        return faults.OLD.found("database", version=text, oldest=OLDEST)
    return ok("database", f"PostgreSQL {text.partition(' ')[0]} at {where}")


def _nearby(host: str) -> bool:
    """Tell whether a host is this machine, or in a private network with it."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(address[0]).is_private for *_, address in found)
    except (OSError, ValueError):
        return False
