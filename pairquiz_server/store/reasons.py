"""Why the database cannot be used: what asyncpg raises then, as one line for people."""

import ssl

import asyncpg

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its state machine, when a session ends in the middle of something
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSQLStatementNameError,  # these two where a pooler in transaction mode was declared to be none
    asyncpg.DuplicatePreparedStatementError,
)
"""What asyncpg raises where the database does not answer; all that it raises else is a fault of ours."""

NOBODY_THERE = (ConnectionRefusedError, FileNotFoundError, asyncpg.CannotConnectNowError)
"""What asyncpg raises where a new connection is refused because no server is up."""

NOT_IN_TIME = "no answer in time"

_CERTIFICATE_EXPIRED = 10
_NAMES_ANOTHER_HOST = (62, 64)  # a name, an address
_OTHERS_STATEMENT = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
_TLS_WANTED = "leave sslmode=disable out of DATABASE_URL"
_BY_WORDS = {
    "no encryption": _TLS_WANTED,
    "SSL required": _TLS_WANTED,
    "root certificate file": "name one that is there as database.ssl_root_cert, or as sslrootcert in DATABASE_URL",
    "statement pooling mode": "give the pooler pool_mode = transaction, or session",
    "max_client_conn": "raise the pooler's max_client_conn, or lower database.pool_max",
    "query_wait_timeout": "the pooler had no connection free: raise its default_pool_size, or lower database.pool_max",
    "rejected SSL upgrade": "turn ssl on there, or leave sslmode out of DATABASE_URL where the way to it is safe",
}
"""What to do, by words that the server, its pooler or asyncpg say."""


class NoneFree(TimeoutError):
    """All connections, or sessions of a pooler, are lent, and none came back in time; `remedy` is what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Reason:
    """Why, in one line; `advised` where that line says what to do, too."""

    def __init__(self, error: BaseException, *, pooled: bool = False) -> None:
        self._error = error
        self._said = _said(error)
        remedy = _remedy(error, self._said, pooled=pooled)
        self.advised = remedy is not None
        self.text = f"{self._said}: {remedy}" if remedy else self._said


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not isinstance(error, NoneFree):
        return NOT_IN_TIME
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({error.verify_message.rstrip('.')})"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({error.reason or error})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _remedy(error: BaseException, said: str, *, pooled: bool) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error)
    if isinstance(error, _OTHERS_STATEMENT):
        return "a pooler in transaction mode stands before the database: set database.transaction_pooler = true"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return "raise max_connections there, or lower database.pool_max: each node takes pool_max + 2"
    if isinstance(error, NoneFree):
        return error.remedy
    if isinstance(error, FileNotFoundError):
        return "see that it runs (its socket is a file), and that what DATABASE_URL names is there (sslrootcert)"
    if pooled and said == NOT_IN_TIME:
        return "or its pooler had no connection free (default_pool_size)"
    return next((remedy for words, remedy in _BY_WORDS.items() if words in said), None)


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _CERTIFICATE_EXPIRED:
        return "renew it there"
    if error.verify_code in _NAMES_ANOTHER_HOST:
        return "name the host in DATABASE_URL as the certificate does, or add sslmode=verify-ca to check no name"
    return "give the certificate of the authority that signed it as database.ssl_root_cert"
