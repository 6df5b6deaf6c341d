"""One node: builds every object once, starts them, and stops them in order."""

from pairquiz_server.node.lifetime import Running, running
from pairquiz_server.node.shared import authenticator

__all__ = ["Running", "authenticator", "running"]
