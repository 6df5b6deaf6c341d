"""Whether the settings can be read at all."""

from pairquiz_server.config import ConfigError
from pairquiz_server.doctor.faults import here as faults
from pairquiz_server.doctor.finding import Fault, Finding

_BEGINNINGS: dict[str, Fault] = {
    "JWT_SECRET": faults.SECRET_INVALID,
    "server.host": faults.ADDRESS_OPEN,
    "server.allowed_origins": faults.ORIGIN_MALFORMED,
    "DATABASE_URL": faults.DATABASE_URL_MALFORMED,
    "SUPABASE_URL": faults.DATABASE_URL_MALFORMED,
    "REDIS_URL": faults.REDIS_URL_MALFORMED,
}
"""How what is said of a setting begins → what mends it."""


def settings_found(error: ConfigError) -> Finding:
    """Return what is wrong with settings that cannot be read."""
    said = error.told
    about = said.removeprefix("setting ")
    fault = next((fault for name, fault in _BEGINNINGS.items() if about.startswith(name)), faults.SETTINGS_INVALID)
    return fault.found("settings", reason=said)
