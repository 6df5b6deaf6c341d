"""Which versions of the protocol are spoken."""

from pairquiz_server.rules.errors import Code, Refused

PROTOCOL_VERSION = 1
"""Raised by what an older client would not understand; what it may ignore raises nothing (docs/decisions/0023)."""
SPOKEN = (PROTOCOL_VERSION,)
"""All versions that a client may ask for."""


def require_spoken(version: int | None) -> None:
    """Refuse (`unsupported_protocol`) who speaks another version. Who says nothing speaks the current one."""
    if version is not None and version not in SPOKEN:
        raise not_spoken()


def not_spoken() -> Refused:
    """Say which versions are spoken."""
    spoken = " and ".join(map(str, SPOKEN))
    return Refused(
        Code.UNSUPPORTED_PROTOCOL,
        f"This server speaks version {spoken} of the protocol, and auth.protocol says another: update the older one",
        protocols=list(SPOKEN),
    )
