"""Which versions of the protocol are spoken."""

from pairquiz_server.rules.errors import Code, Refused

PROTOCOL_VERSION = 1
"""Raised by what an older client would not understand; what it may ignore raises nothing (docs/decisions/0023)."""
SPOKEN = (PROTOCOL_VERSION,)
"""All versions that a client may ask for."""


def require_spoken(claimed: object) -> None:
    """Refuse (`unsupported_protocol`) a client that says `auth.protocol` and means none of ours.

    Who says nothing speaks the current version.
    """
    if claimed is None or (type(claimed) is int and claimed in SPOKEN):
        return
    spoken = " and ".join(map(str, SPOKEN))
    raise Refused(
        Code.UNSUPPORTED_PROTOCOL,
        f"This server speaks version {spoken} of the protocol, and auth.protocol says another: update the older one",
        protocols=list(SPOKEN),
    )
