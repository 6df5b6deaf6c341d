"""The way to a database that may not be there: why it does not open, by name."""

import asyncio
import ssl
import struct
from contextlib import suppress
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from msgspec import Struct

from pairquiz_server.reach import Unreachable, certificate_fault, reach
from pairquiz_server.store.reasons import UNAVAILABLE, NoneFree

_ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)


class Trouble(StrEnum):
    """Why there is no connection."""

    HOST_UNKNOWN = "host_unknown"
    REFUSED = "refused"
    SILENT = "silent"
    NO_ROUTE = "no_route"
    NOT_POSTGRESQL = "not_postgresql"
    URL_REFUSED = "url_refused"
    PASSWORD = "password"  # noqa: S105  (a name, not a secret)
    ROLE_UNKNOWN = "role_unknown"
    NOT_ADMITTED = "not_admitted"
    MISSING = "missing"
    FULL = "full"
    STARTING = "starting"
    LOST = "lost"
    TLS_REQUIRED = "tls_required"
    TLS_REFUSED = "tls_refused"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_HOSTNAME = "certificate_hostname"
    CA_MISSING = "ca_missing"
    POWERLESS = "powerless"
    POOLER_STATEMENT = "pooler_statement"
    POOLER_SMALL = "pooler_small"
    REFUSES = "refuses"


class NotExaminable(Exception):
    """There is no connection, or it does not do what is asked; the message is the other side's reason."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        self.trouble = trouble
        super().__init__(reason)


class Place(Struct, frozen=True):
    """Where a database's address leads: a host and a port, or the folder of a socket; and as whom, to what."""

    host: str
    port: int
    user: str
    database: str

    @property
    def shown(self) -> str:
        """How people write it."""
        return f"{self.host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether it is a socket of this machine."""
        return self.host.startswith("/")


def place(dsn: str) -> Place:
    """Read where an address leads, as far as it says so: what stands before the `?` goes first, as asyncpg reads it."""
    parts = urlsplit(dsn)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user = unquote(parts.username or "") or asked.get("user") or "(nobody)"
    database = unquote(parts.path.lstrip("/")) or asked.get("dbname") or asked.get("database") or user
    host, port = parts.hostname or "", str(parts.port or "")
    if not host:
        host, port = asked.get("host", "localhost"), asked.get("port", "")
    # Of several, the first one is knocked at. A port that is no number is asyncpg's to refuse.
    host, port = host.partition(",")[0], port.partition(",")[0]
    return Place(host, int(port) if port.isdecimal() else 5432, user, database)


async def knock(where: Place, timeout_s: float) -> None:
    """Knock at the host of a database. Raises `NotExaminable`."""
    try:
        await reach(where.host, where.port, within_s=timeout_s)
    except Unreachable as reason:
        raise NotExaminable(Trouble[reason.why.name], str(reason)) from None


async def encrypts(where: Place, timeout_s: float) -> bool:
    """Ask what answers there whether it speaks TLS, as clients ask first. Raises `NotExaminable`."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(where.host, where.port)
            try:
                writer.write(_ASKS_FOR_TLS)
                answer = await reader.read(1)
            finally:
                writer.close()
    except OSError as error:
        raise named(error) from None
    if answer not in (b"S", b"N"):
        raise NotExaminable(Trouble.NOT_POSTGRESQL, "it does not know what a client of PostgreSQL asks first")
    return answer == b"S"


async def connected(dsn: str, timeout_s: float, tls: ssl.SSLContext | None = None) -> asyncpg.Connection:
    """Return a connection that prepares nothing, as poolers want it. Raises `NotExaminable`."""
    try:
        return await asyncpg.connect(dsn, timeout=timeout_s, command_timeout=timeout_s, statement_cache_size=0, ssl=tls)
    except ssl.SSLCertVerificationError as error:
        raise NotExaminable(Trouble[f"CERTIFICATE_{certificate_fault(error).name}"], error.verify_message) from None
    except asyncpg.ClientConfigurationError as error:
        said = _first_line(error)
        raise NotExaminable(Trouble.CA_MISSING if "certificate" in said else Trouble.URL_REFUSED, said) from None
    except FileNotFoundError as error:
        trouble = Trouble.REFUSED if place(dsn).local else Trouble.CA_MISSING
        raise NotExaminable(trouble, _first_line(error)) from None
    except (*UNAVAILABLE, asyncpg.PostgresError, ValueError) as error:
        reason = named(error)
        if reason.trouble is Trouble.NOT_ADMITTED and "sslmode=disable" in dsn and "no encryption" in str(reason):
            reason.trouble = Trouble.TLS_REQUIRED
        raise reason from None


def named(error: BaseException) -> NotExaminable:
    """Give what a connection fails by its name."""
    return NotExaminable(_trouble(error), _first_line(error) or type(error).__name__)


def _trouble(error: BaseException) -> Trouble:
    said = str(error)
    match error:
        case NoneFree():
            return Trouble.POOLER_SMALL
        case TimeoutError():
            return Trouble.SILENT
        case FileNotFoundError() | ConnectionRefusedError():
            return Trouble.REFUSED
        case ConnectionError() if "rejected SSL upgrade" in said:
            return Trouble.TLS_REFUSED
        case asyncpg.InvalidCatalogNameError():
            return Trouble.MISSING
        case asyncpg.TooManyConnectionsError():
            return Trouble.FULL
        case asyncpg.CannotConnectNowError():
            return Trouble.STARTING
        case asyncpg.InsufficientPrivilegeError():
            return Trouble.POWERLESS
        case asyncpg.PostgresError():
            return _refusal(error, said)
        case ConnectionError() | asyncpg.InternalClientError() | ssl.SSLError():
            return Trouble.NOT_POSTGRESQL
        case OSError():
            return Trouble.NO_ROUTE
        case asyncpg.InterfaceError() | ValueError():
            return Trouble.URL_REFUSED
        case _:
            return Trouble.NOT_POSTGRESQL


def _refusal(error: asyncpg.PostgresError, said: str) -> Trouble:
    """Tell why somebody is not let in: poolers give their refusals other numbers than PostgreSQL, but like words."""
    if "statement pooling mode" in said:
        return Trouble.POOLER_STATEMENT
    if "query_wait_timeout" in said:
        return Trouble.POOLER_SMALL
    if "no such database" in said:
        return Trouble.MISSING
    if "SSL required" in said:
        return Trouble.TLS_REQUIRED
    if "no pg_hba.conf entry" in said or "rejects connection" in said:
        return Trouble.NOT_ADMITTED
    if "no such user" in said or "Tenant or user not found" in said or ("role" in said and "does not exist" in said):
        return Trouble.ROLE_UNKNOWN
    if isinstance(error, asyncpg.InvalidPasswordError) or "password" in said or "SASL" in said:
        return Trouble.PASSWORD
    if "too many" in said or "no more connections" in said or "max client" in said.lower():
        return Trouble.FULL
    if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError):
        return Trouble.LOST
    return Trouble.REFUSES


def _first_line(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    with suppress(IndexError):
        return str(error).splitlines()[0]
    return ""
