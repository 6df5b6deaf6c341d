"""What the nodes of one database share: the key that signs guests' tokens, and the way from one to the other."""

from pairquiz_server.config import Settings
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.pool import Database
from pairquiz_server.store.server import GUEST_SECRET, RELAY_CHANNEL, ServerState
from pairquiz_server.web.elsewhere.relay import Relay
from pairquiz_server.web.identity.auth import Authenticator
from pairquiz_server.web.identity.jwks import IssuerKeys
from pairquiz_server.web.sockets.connections import Connections

_RELAY_CHANNEL_BYTES = 16


async def authenticator(settings: Settings, database: Database, issuer_keys: IssuerKeys | None = None) -> Authenticator:
    """Return who proves tokens. Guests' are signed by the configured secret, else by one that all servers share."""
    secret = settings.guest_secret
    key = secret.encode() if secret else await ServerState(database).shared(GUEST_SECRET)
    return Authenticator(settings, key, issuer_keys)


async def open_relay(
    settings: Settings, server: ServerState, connections: Connections, metrics: Metrics
) -> Relay | None:
    """Return the way to the other nodes of this database, None where no Redis is configured.

    The channel's name is by chance and kept in the database, so that two deployments on one Redis never share it.
    Raises `ConfigError`.
    """
    if settings.redis_url is None:
        return None
    name = await server.shared(RELAY_CHANNEL, _RELAY_CHANNEL_BYTES)
    return Relay(settings.redis_url, f"pairquiz:{name.hex()}", connections, metrics)
