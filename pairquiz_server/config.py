"""config.toml, the environment and flags → frozen `Settings`. Whatever is wrong stops the start with one line."""

import ipaddress
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from pairquiz_server.validation import fault

ENV_PREFIX = "PAIRQUIZ_"
DEVELOPMENT_ORIGINS = (
    "http://localhost:8081",
    "http://127.0.0.1:8081",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
)
SECRET_MIN_BYTES = 32
ROOT_DATA_DIR = Path("/var/lib/pairquiz-server")

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]
QuestionCount = Annotated[int, Meta(ge=1, le=50)]
TimeLimit = Annotated[int, Meta(ge=5, le=300)]


class ConfigError(Exception):
    """A setting that is wrong; the message is one line that names it and says how to mend it."""


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and for whom the server listens."""

    host: str = "127.0.0.1"
    port: Port = 8000
    region: str = "local"
    data_dir: str = "auto"
    allowed_origins: list[str] | Literal["auto"] = "auto"
    trusted_proxies: NotNegative = 0
    ping_interval_s: Positive = 10
    ping_timeout_s: Positive = 15


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """How PostgreSQL is spoken to."""

    pool_min: Positive = 1
    pool_max: Positive = 8
    connect_timeout_s: Seconds = 10.0
    command_timeout_s: Seconds = 1.5
    transaction_pooler: bool | Literal["auto"] = "auto"
    commit_pace_ms: NotNegative = 4


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may play."""

    mode: Literal["auto", "guest", "required"] = "auto"
    audience: str = "authenticated"
    issuer: str = ""


class Game(Struct, frozen=True, forbid_unknown_fields=True):
    """What a match is, where its creator does not say."""

    question_count: QuestionCount = 5
    time_limit_s: TimeLimit = 30
    points: NotNegative = 100
    speed_bonus: NotNegative = 50
    waiting_ttl_s: Positive = 600
    ready_ttl_s: Positive = 600
    lag_credit_max_ms: NotNegative = 300


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one client may ask for."""

    message_bytes: Annotated[int, Meta(ge=1024)] = 65536


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    socketio: bool = False
    engineio: bool = False


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """The sections of config.toml."""

    server: Server = Server()
    database: Database = Database()
    auth: Auth = Auth()
    game: Game = Game()
    limits: Limits = Limits()
    log: Log = Log()


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that the server is told, checked. `database_url` is None for the embedded PostgreSQL."""

    server: Server
    database: Database
    auth: Auth
    game: Game
    limits: Limits
    log: Log
    data_dir: Path
    database_url: str | None
    jwt_secret: str | None
    guest_secret: str | None

    @property
    def guests_allowed(self) -> bool:
        """Whether somebody without a token may play."""
        return self.auth.mode == "guest" or (self.auth.mode == "auto" and self.jwt_secret is None)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The one list of origins, with `auto` resolved."""
        if self.server.allowed_origins != "auto":
            return tuple(self.server.allowed_origins)
        return ("*",) if self.guests_allowed else DEVELOPMENT_ORIGINS

    @property
    def transaction_pooler(self) -> bool:
        """Whether the database is behind a pooler in transaction mode, with `auto` resolved."""
        if self.database.transaction_pooler != "auto":
            return self.database.transaction_pooler
        return self.database_url is not None and urlsplit(self.database_url).port == 6543


def default_file() -> Path | None:
    """Return the config.toml that is read where none is named: the checkout's, else the installed one."""
    checkout = Path(__file__).resolve().parent.parent / "config.toml"
    installed = Path(sys.prefix) / "share" / "pairquiz-server" / "config.toml"
    return next((path for path in (checkout, installed) if path.is_file()), None)


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
    raw = _read_file(source) if source else {}
    prefixed = _prefixed_names(environ)
    named_outside = any("data_dir" in layer.get("server", {}) for layer in (prefixed, flags or {}))
    for layer in (_platform_names(environ), prefixed, flags or {}):
        for section, values in layer.items():
            table = raw.setdefault(section, {})
            if not isinstance(table, dict):
                raise ConfigError(f"[{section}] in {source} must be a table")
            table.update(values)
    try:
        file = msgspec.convert(raw, File)
    except msgspec.ValidationError as error:
        raise ConfigError(_readable(error)) from None
    settings = Settings(
        server=file.server,
        database=file.database,
        auth=file.auth,
        game=file.game,
        limits=file.limits,
        log=file.log,
        data_dir=_data_dir(file.server.data_dir, _base_folder(source, named_outside)),
        database_url=_database_url(environ),
        jwt_secret=_secret(environ, "JWT_SECRET", "your issuer's secret, or unset the name to let guests play"),
        guest_secret=_secret(environ, "PAIRQUIZ_GUEST_SECRET", "a long random text, or unset the name"),
    )
    _check(settings, environ)
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}. Name another file with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def _prefixed_names(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Collect PAIRQUIZ_<SECTION>__<KEY>; empty means unset."""
    layer: dict[str, dict[str, Any]] = {}
    for name, text in environ.items():
        if not name.startswith(ENV_PREFIX) or "__" not in name or not text:
            continue
        section, key = name.removeprefix(ENV_PREFIX).lower().split("__", 1)
        layer.setdefault(section, {})[key] = _toml_or_text(text)
    return layer


def _toml_or_text(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _platform_names(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    layer: dict[str, dict[str, Any]] = {}
    if port := environ.get("PORT"):
        layer["server"] = {"port": _toml_or_text(port)}
    project = environ.get("SUPABASE_URL", "")
    if project.startswith("https://"):
        layer["auth"] = {"issuer": project.rstrip("/") + "/auth/v1"}
    return layer


def _database_url(environ: Mapping[str, str]) -> str | None:
    for name in ("DATABASE_URL", "SUPABASE_URL"):
        url = environ.get(name, "")
        if name == "SUPABASE_URL" and url.startswith("https://"):
            continue
        if url:
            if urlsplit(url).scheme not in ("postgres", "postgresql"):
                wanted = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
                raise ConfigError(f"{name} must look like {wanted}")
            try:
                _ = urlsplit(url).port
            except ValueError:
                raise ConfigError(f"{name} has a port that is not a number") from None
            return url
    return None


def _secret(environ: Mapping[str, str], name: str, remedy: str) -> str | None:
    """Read a secret, which must be long enough where its name is set at all."""
    secret = environ.get(name)
    if secret is not None and (size := len(secret.encode())) < SECRET_MIN_BYTES:
        raise ConfigError(f"{name} has {size} bytes and needs {SECRET_MIN_BYTES}: set {remedy}")
    return secret


def _base_folder(source: Path | None, named_outside: bool) -> Path:
    """A relative data folder is beside the file that names it; one from a flag or the environment, where we are."""
    installed = source is not None and source.is_relative_to(sys.prefix)
    return Path.cwd() if source is None or installed or named_outside else source.resolve().parent


def _data_dir(text: str, base: Path) -> Path:
    if text == "auto":
        return ROOT_DATA_DIR if os.geteuid() == 0 else base / "var"
    return (base / Path(text).expanduser()).resolve()


def _check(settings: Settings, environ: Mapping[str, str]) -> None:
    """Refuse settings that are each valid and together are not."""
    if settings.database.pool_min > settings.database.pool_max:
        raise ConfigError("database.pool_min is larger than database.pool_max: lower it")
    if settings.auth.mode == "required" and settings.jwt_secret is None:
        raise ConfigError('auth.mode is "required" and no JWT_SECRET is set: set it, or choose "guest"')
    project = environ.get("SUPABASE_URL", "").startswith("https://")
    if project and settings.jwt_secret is None and settings.auth.mode == "auto":
        raise ConfigError("SUPABASE_URL names a project, and its tokens need JWT_SECRET: set the project's JWT secret")
    if settings.guests_allowed and settings.auth.mode == "auto" and not _loopback(settings.server.host):
        raise ConfigError(
            f"server.host {settings.server.host} is open to others: set JWT_SECRET, "
            "or let guests play with PAIRQUIZ_AUTH__MODE=guest"
        )
    for origin in settings.allowed_origins:
        parts = urlsplit(origin)
        if origin not in ("*", "null") and (not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}"):
            raise ConfigError(
                f"server.allowed_origins: {origin!r} is not an origin such as https://quiz.example (no path, no /)"
            )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _readable(error: msgspec.ValidationError) -> str:
    found = fault(error)
    if found.unknown_field:
        return f"there is no setting {found.path}: see config.toml for all of them"
    return f"setting {found}"
