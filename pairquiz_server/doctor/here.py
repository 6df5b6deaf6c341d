"""A look at the server of this machine: by its settings, from beside it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from pairquiz_server.config import ConfigError, Settings
from pairquiz_server.database import database_url
from pairquiz_server.doctor.address import look_at_address, look_at_origins
from pairquiz_server.doctor.checks import Check, Findings, carried_out
from pairquiz_server.doctor.database import DatabaseCheck
from pairquiz_server.doctor.faults import here as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.doctor.machine import look_at_machine
from pairquiz_server.doctor.redis import look_at_redis
from pairquiz_server.doctor.settings import settings_found
from pairquiz_server.doctor.tokens import look_at_keys, look_at_token, look_at_tokens
from pairquiz_server.store.embedded import EmbeddedPostgresError

_RESTS_ON_SETTINGS = ("machine", "address", "origins", "players", "keys", "database", "redis")
_STORED_S = 60.0
"""A database is asked for some dozen things, and each may take its time."""


class Asked(Struct, frozen=True):
    """What a look is to try beside what the settings say; `own_url` is where this machine finds the server."""

    own_url: str
    origin: str | None = None
    token: str | None = None


def unreadable(error: ConfigError) -> list[Finding]:
    """Return the report where the settings cannot be read."""
    return [settings_found(error), *(skipped(name, "the settings come first") for name in _RESTS_ON_SETTINGS)]


@contextmanager
def database_at_hand(settings: Settings) -> Iterator[str | Finding]:
    """Yield where the database is; of an embedded one, that it is not there yet, or what is wrong with it."""
    with ExitStack() as held:
        found: str | Finding
        try:
            if settings.database_url is None and not (settings.data_dir / "postgres").exists():
                found = skipped("database", f"there is none yet in {settings.data_dir}: pairquiz-server serve makes it")
            else:
                found = held.enter_context(database_url(settings))
        except EmbeddedPostgresError as error:
            found = faults.EMBEDDED_REFUSED.found("database", reason=error)
        except OSError as error:  # a folder that is another user's, such as the service's
            found = faults.EMBEDDED_REFUSED.found("database", reason=f"{error.filename}: {error.strerror}")
        yield found


async def look_here(settings: Settings, database: str | Finding, asked: Asked) -> list[Finding]:
    """Return what there is to say of a server by its settings."""
    return [
        ok("settings", "they can be read: pairquiz-server config prints them"),
        *await carried_out(
            [
                Check("machine", lambda: look_at_machine(settings)),
                Check("address", lambda: look_at_address(settings, asked.own_url)),
                Check("origins", lambda: look_at_origins(settings, asked.origin)),
                Check("players", lambda: look_at_tokens(settings)),
                Check("keys", lambda: look_at_keys(settings)),
                Check("token", lambda: look_at_token(settings, asked.token)),
                Check("database", lambda: _look_at_what_is_shared(settings, database), _STORED_S),
            ]
        ),
    ]


async def _look_at_what_is_shared(settings: Settings, database: str | Finding) -> Findings:
    """Look at the database, and then at Redis, of which it knows who should listen."""
    running = None
    if isinstance(database, Finding):
        yield database
    else:
        check = DatabaseCheck(settings, database)
        async for finding in check.look():
            yield finding
        running = check.running
    async for finding in look_at_redis(settings.redis_url, running):
        yield finding
