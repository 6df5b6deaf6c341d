"""`pairquiz-server config`: the settings as this process would use them."""

import click
import msgspec

from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.config.sections import File


@click.command()
@with_settings
def config(settings: Settings) -> None:
    """Print the settings in force as JSON. Of secrets it only says whether they are set."""
    click.echo(msgspec.json.format(msgspec.json.encode(_shown(settings)), indent=2).decode())


def _shown(settings: Settings) -> dict[str, object]:
    return {
        **{section: getattr(settings, section) for section in File.__struct_fields__},
        "data_dir": str(settings.data_dir),
        "page": str(settings.page) if settings.page else "none" + (": not built" if settings.page_missing else ""),
        "allowed_origins": settings.allowed_origins,
        "guests_allowed": settings.guests_allowed,
        "transaction_pooler": "asked at the start"
        if settings.transaction_pooler is None
        else settings.transaction_pooler,
        "database_url": "set" if settings.database_url else "not set: embedded PostgreSQL",
        "redis_url": "set" if settings.redis_url else "not set",
        "jwt_secret": "set" if settings.jwt_secret else "not set",
        "metrics_token": "set" if settings.metrics_token else "not set: metrics are for this machine alone",
        "admin_token": "set" if settings.admin_token else "not set: the operator is heard on this machine alone",
        "guest_secret": "set" if settings.guest_secret else "not set: kept in the database",
    }
