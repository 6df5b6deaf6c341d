"""TLS to the database with a certificate that is checked, where a setting names who signed it."""

import ssl
from urllib.parse import parse_qs, urlsplit

from pairquiz_server.failure import Failure

SYSTEM = "system"
_PEM = "-----BEGIN"
_WITHOUT_CHECKS = ("disable", "allow", "prefer")
_SAID_TWICE = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


class TlsError(Failure):
    """The certificates of the setting cannot be used; the message is one line."""


def checked_tls(root_cert: str, dsn: str) -> ssl.SSLContext | None:
    """Return how TLS is spoken to the database: None where no certificates are named, and its address decides.

    `root_cert` is a file, the certificates themselves, or `system` for those that this machine trusts. The name of the
    host is checked, too, unless the address says `sslmode=verify-ca`. Raises `TlsError`.
    """
    if not root_cert:
        return None
    said = {name: values[-1] for name, values in parse_qs(urlsplit(dsn).query).items()}
    mode = said.get("sslmode", "verify-full")
    if mode in _WITHOUT_CHECKS:
        raise TlsError(
            f"database.ssl_root_cert is set, and DATABASE_URL says sslmode={mode}, which checks nothing: leave one out"
        )
    if twice := next((name for name in _SAID_TWICE if name in said), None):
        raise TlsError(f"database.ssl_root_cert is set, and DATABASE_URL says {twice}: say all of it in DATABASE_URL")
    context = _trusting(root_cert)
    context.check_hostname = mode != "verify-ca"
    return context


def _trusting(root_cert: str) -> ssl.SSLContext:
    try:
        if root_cert == SYSTEM:
            return ssl.create_default_context()
        if root_cert.lstrip().startswith(_PEM):
            return ssl.create_default_context(cadata=root_cert.replace("\\n", "\n"))
        return ssl.create_default_context(cafile=root_cert)
    except ssl.SSLError:
        place = "its text" if root_cert.lstrip().startswith(_PEM) else root_cert
        raise TlsError(f"database.ssl_root_cert: {place} holds no certificates (PEM)") from None
    except OSError as error:
        raise TlsError(f"database.ssl_root_cert: cannot read {root_cert}: {error.strerror}") from None
