"""Where settings come from: the file, the platform's names, `PAIRQUIZ_…`, and flags."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import fields

from pairquiz_server.config.sections import File
from pairquiz_server.failure import Failure
from pairquiz_server.nearest import did_you_mean

PREFIX = "PAIRQUIZ_"
GUEST_SECRET = "PAIRQUIZ_GUEST_SECRET"  # noqa: S105  (a name, not a secret)
METRICS_TOKEN = "PAIRQUIZ_METRICS__TOKEN"  # noqa: S105
ADMIN_TOKEN = "PAIRQUIZ_ADMIN__TOKEN"  # noqa: S105
SECRET_MIN_BYTES = 32
_DATABASE_SHAPE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_REDIS_SHAPE = "redis://USER:PASSWORD@HOST:PORT"

Said = tuple[str, str, str, Any]
"""Who says it (the name of a variable or a flag), section, key, value."""


class ConfigError(Failure):
    """A setting that is wrong; the message is one line that names it and says how to mend it."""


def read_file(path: Path) -> dict[str, Any]:
    """Read a file of settings: section → key → value. Raises `ConfigError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}. Name another file with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def overrides(environ: Mapping[str, str], flags: Mapping[str, Mapping[str, Any]]) -> tuple[Said, ...]:
    """Return all that is said outside the file, the strongest last. Raises `ConfigError`."""
    return (*_platform_names(environ), *_prefixed_names(environ), *_flags(flags))


def _platform_names(environ: Mapping[str, str]) -> Iterator[Said]:
    if port := environ.get("PORT"):
        yield "PORT", "server", "port", _toml_or_text(port)
    if project := supabase_project(environ):
        issuer = project.rstrip("/") + "/auth/v1"
        yield "SUPABASE_URL", "auth", "issuer", issuer
        yield "SUPABASE_URL", "auth", "jwks_url", issuer + "/.well-known/jwks.json"


def _prefixed_names(environ: Mapping[str, str]) -> Iterator[Said]:
    """Yield PAIRQUIZ_<SECTION>__<KEY>; empty means unset."""
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in (GUEST_SECRET, METRICS_TOKEN, ADMIN_TOKEN) or not text:
            continue
        section, separator, key = name.removeprefix(PREFIX).lower().partition("__")
        if not separator:
            raise ConfigError(
                f"there is no setting {name}: write {PREFIX}<SECTION>__<KEY>, two underscores between"
                + did_you_mean(name, _names_of_settings())
            )
        yield name, section, key, _toml_or_text(text)


def _names_of_settings() -> Iterator[str]:
    for section in fields(File):
        for key in section.type.__struct_fields__:
            yield f"{PREFIX}{section.name}__{key}".upper()


def _flags(flags: Mapping[str, Mapping[str, Any]]) -> Iterator[Said]:
    for section, values in flags.items():
        for key, value in values.items():
            yield "--" + key.replace("_", "-"), section, key, value


def _toml_or_text(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def database_url(environ: Mapping[str, str]) -> str | None:
    """Return the configured database, None for the embedded one. Raises `ConfigError`."""
    for name in ("DATABASE_URL", "SUPABASE_URL"):
        url = environ.get(name, "")
        if not url or (name == "SUPABASE_URL" and supabase_project(environ)):
            continue
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise ConfigError(
                f"{name} is no address such as {_DATABASE_SHAPE}: write special characters of the password as %XX"
            ) from None
        if parts.scheme not in ("postgres", "postgresql"):
            project = ", or the project's https:// address" if name == "SUPABASE_URL" else ""
            raise ConfigError(f"{name} must look like {_DATABASE_SHAPE}{project}")
        return url
    return None


def redis_url(environ: Mapping[str, str]) -> str | None:
    """Return the configured Redis, None where there is none. Raises `ConfigError`, which never shows the address."""
    url = environ.get("REDIS_URL", "")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError(
            f"REDIS_URL is no address such as {_REDIS_SHAPE}: write special characters of the password as %XX"
        ) from None
    somewhere = parts.path.strip("/") if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in ("redis", "rediss", "unix") or not somewhere:
        raise ConfigError(f"REDIS_URL must look like {_REDIS_SHAPE} (rediss:// with TLS), or unix:///PATH")
    return url


def supabase_project(environ: Mapping[str, str]) -> str | None:
    """Return the address of the Supabase project, None where SUPABASE_URL names none (it may name a database)."""
    url = environ.get("SUPABASE_URL", "")
    return url if url.startswith("https://") else None


def secret(environ: Mapping[str, str], name: str, remedy: str) -> str | None:
    """Read a secret, which must be long enough where its name is set at all. Raises `ConfigError`."""
    found = environ.get(name)
    if found is None:
        return None
    if not found.isprintable():
        raise ConfigError(f"{name} has characters that are no text (a line break at its end?): set {remedy}")
    if (size := len(found.encode())) < SECRET_MIN_BYTES:
        raise ConfigError(f"{name} has {size} bytes and needs {SECRET_MIN_BYTES}: set {remedy}")
    return found
