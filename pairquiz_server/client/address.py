"""Where a match is: the address of a server, and what invites to a match of it."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from pairquiz_server.client.errors import ClientError

_CHALLENGE = re.compile(r"/pair-quiz/challenge/([^/]+)/?")
_MATCH = re.compile(r"/pair-quiz/([^/]+)/?")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Invitation(Struct, frozen=True):
    """What opens a match: `how` is the key of the protocol under which `what` is sent."""

    how: str
    what: str


class Address(Struct, frozen=True):
    """A server (scheme, host and port), and the match that a link names, if it does."""

    url: str
    invitation: Invitation | None = None


def address(text: str) -> Address:
    """Read an address or a link to a match, as somebody types it. Raises `ClientError`."""
    whole = text.strip()
    try:
        whole = whole if "://" in whole else f"{_usual_scheme(whole)}://{whole}"
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _SCHEMES or parts.username is not None or _broken(whole):
        raise ClientError(f"{text!r} is no address of a server: write one such as http://localhost:8000")
    shown = f"[{host}]" if ":" in host else host
    url = f"{_SCHEMES[parts.scheme]}://{shown}" + (f":{port}" if port else "")
    if challenge := _CHALLENGE.fullmatch(parts.path):
        return Address(url, Invitation("challenge_code", challenge[1]))
    if match := _MATCH.fullmatch(parts.path):
        return Address(url, invitation(match[1]))
    if parts.path.strip("/"):
        raise ClientError(f"{text!r} is no link to a match: a server's address has no path")
    return Address(url)


def invitation(text: str) -> Invitation:
    """Read what stands for a match: its id, or the code that is said aloud."""
    try:
        return Invitation("session_id", str(UUID(text.strip())))
    except ValueError:
        return Invitation("join_code", text.strip())


def _broken(address: str) -> bool:
    return not address.isprintable() or " " in address


def _usual_scheme(text: str) -> str:
    """Return what a server speaks where nobody says it: https, but on this machine and in the networks around it."""
    host = urlsplit(f"//{text}").hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return "https" if "." in host else "http"
    return "http"  # an address in numbers has no certificate
