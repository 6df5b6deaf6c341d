"""The settings in force, checked as a whole."""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from pairquiz_server.config import sources
from pairquiz_server.config.folders import Folders, default_file
from pairquiz_server.config.sections import Admin, Auth, Database, File, Game, Limits, Log, Retention, Server
from pairquiz_server.config.sockets import AdminSockets, admin_sockets
from pairquiz_server.config.sources import ADMIN_TOKEN, GUEST_SECRET, METRICS_TOKEN, ConfigError
from pairquiz_server.nearest import nearest
from pairquiz_server.rules.player import GUEST_TOKEN_DAYS
from pairquiz_server.validation import fault

DEVELOPMENT_ORIGINS = (
    "http://localhost:8081",
    "http://127.0.0.1:8081",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
)
SUPABASE_POOLER_PORT = 6543
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")

_USUAL_PORT = re.compile(r"(?:^http:.*:80|^https:.*:443)$")


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that the server is told, checked. `database_url` is None for the embedded PostgreSQL.

    `page_folder` is None where no page is built, `redis_url` where there is no other node to speak to, `metrics_token`
    where metrics stay on this machine, `admin_token` where its operator is heard on this machine alone, and
    `admin_sockets` where not even there.
    """

    server: Server
    database: Database
    auth: Auth
    game: Game
    limits: Limits
    retention: Retention
    admin: Admin
    log: Log
    data_dir: Path
    page_folder: Path | None
    database_url: str | None
    jwt_secret: str | None
    guest_secret: str | None
    redis_url: str | None = None
    metrics_token: str | None = None
    admin_token: str | None = None
    admin_sockets: AdminSockets | None = None

    @property
    def users_known(self) -> bool:
        """Whether there is anything to prove a user's token by: a secret, or an address of public keys."""
        return self.jwt_secret is not None or self.auth.jwks_url != ""

    @property
    def guests_allowed(self) -> bool:
        """Whether somebody without a token may play."""
        return self.auth.mode == "guest" or (self.auth.mode == "auto" and not self.users_known)

    @property
    def page(self) -> Path | None:
        """The folder of the page to show. Our own is for guests: it has no token of anybody's issuer."""
        return None if self.server.page == "auto" and not self.guests_allowed else self.page_folder

    @property
    def page_missing(self) -> bool:
        """Whether our own page would be shown, if only it were built."""
        return self.server.page == "auto" and self.guests_allowed and self.page_folder is None

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The one list of origins, with `auto` resolved."""
        if self.server.allowed_origins != "auto":
            return self.server.allowed_origins
        return ("*",) if self.guests_allowed else DEVELOPMENT_ORIGINS

    @property
    def transaction_pooler(self) -> bool | None:
        """Whether the database is behind a pooler in transaction mode; None where it has to be asked."""
        if self.database.transaction_pooler != "auto":
            return self.database.transaction_pooler
        if self.database_url is None:
            return False
        return True if urlsplit(self.database_url).port == SUPABASE_POOLER_PORT else None


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Read the settings: flags over `PAIRQUIZ_…` over the platform's names over the file.

    `flags` has the file's shape: section → key → value. Raises `ConfigError`.
    """
    source = path or default_file()
    raw = sources.read_file(source) if source else {}
    said_by: dict[str, str] = {}
    for name, section, key, value in sources.overrides(environ, flags or {}):
        table = raw.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{section} in {source} must be a table: write [{section}]")
        table[key] = value
        said_by[section] = said_by[f"{section}.{key}"] = name
    try:
        file = msgspec.convert(raw, File)
    except msgspec.ValidationError as error:
        raise ConfigError(_readable(error, said_by)) from None
    folders = Folders(source)
    data_dir = folders.data_dir(file.server.data_dir, named_outside="server.data_dir" in said_by)
    database_url = sources.database_url(environ)
    settings = Settings(
        server=file.server,
        database=file.database,
        auth=file.auth,
        game=file.game,
        limits=file.limits,
        retention=file.retention,
        admin=file.admin,
        log=file.log,
        data_dir=data_dir,
        page_folder=folders.page(file.server.page, named_outside="server.page" in said_by),
        database_url=database_url,
        jwt_secret=sources.secret(environ, "JWT_SECRET", "your issuer's secret, or unset the name to let guests play"),
        guest_secret=sources.secret(environ, GUEST_SECRET, "a long random text, or unset the name"),
        redis_url=sources.redis_url(environ),
        metrics_token=sources.secret(environ, METRICS_TOKEN, "a long random text, or unset the name"),
        admin_token=sources.secret(environ, ADMIN_TOKEN, "a long random text, or unset the name"),
        admin_sockets=admin_sockets(
            file.admin.socket, folders, data_dir, database_url, named_outside="admin.socket" in said_by
        ),
    )
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Refuse settings that are each valid and together are not."""
    if settings.database.pool_min > settings.database.pool_max:
        raise ConfigError("database.pool_min is larger than database.pool_max: lower it")
    if settings.auth.mode == "required" and not settings.users_known:
        raise ConfigError(
            'auth.mode is "required" and no JWT_SECRET is set, nor auth.jwks_url: set one of them, or choose "guest"'
        )
    if settings.auth.jwks_url and not _fetchable(settings.auth.jwks_url):
        raise ConfigError(
            f"auth.jwks_url {settings.auth.jwks_url!r} is no address such as "
            "https://YOUR_PROJECT.supabase.co/auth/v1/.well-known/jwks.json (http:// only on loopback); "
            "SUPABASE_URL sets it, too"
        )
    if settings.guests_allowed and settings.auth.mode == "auto" and not _loopback(settings.server.host):
        raise ConfigError(
            f"server.host {settings.server.host} is open to others: set JWT_SECRET or auth.jwks_url, "
            "or let guests play with PAIRQUIZ_AUTH__MODE=guest"
        )
    if 0 < settings.retention.guests_days <= GUEST_TOKEN_DAYS:
        raise ConfigError(
            f"retention.guests_days is {settings.retention.guests_days}, and a guest's token holds for "
            f"{GUEST_TOKEN_DAYS} days: set more, or 0 to keep guests for ever"
        )
    for origin in settings.allowed_origins:
        if origin not in ("*", "null") and (not _ORIGIN.fullmatch(origin) or _USUAL_PORT.search(origin)):
            raise ConfigError(
                f"server.allowed_origins: {origin!r} is not an origin as browsers write it, "
                "such as https://quiz.example "
                "(lower case, no path, no / at the end, no wildcard in it, no usual port, other letters as xn--…)"
            )


def _fetchable(url: str) -> bool:
    """Tell whether keys may come from there: whoever can change them on their way can be any player."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _readable(error: msgspec.ValidationError, said_by: Mapping[str, str]) -> str:
    found = fault(error)
    name = said_by.get(found.path.partition("[")[0])
    setting = f"{found.path} (from {name})" if name else found.path
    if found.unknown_field:
        meant = _meant(found.path)
        hint = f"did you mean {meant}? All of them are in config.toml" if meant else "see config.toml for all of them"
        return f"there is no setting {setting}: {hint}"
    return f"setting {setting}: {found.reason}; see its comment in config.toml"


def _meant(path: str) -> str | None:
    """Return the setting, or the section, that is most like one that there is not."""
    sections = {field.name: field.type for field in msgspec.structs.fields(File)}
    section, _, key = path.partition(".")
    if not key:
        return nearest(section, sections)
    found = nearest(key, sections[section].__struct_fields__)
    return f"{section}.{found}" if found else None
