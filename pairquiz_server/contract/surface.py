"""What of the contract a client can rely on, without the words: what is compared, and kept with each publication."""

from typing import Any

from msgspec import Struct

from pairquiz_server.contract.schemas import components, name_of
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS, ConnectError
from pairquiz_server.protocol.payloads import ConnectAuth
from pairquiz_server.protocol.rest import ROUTES
from pairquiz_server.protocol.versions import PROTOCOL_VERSION
from pairquiz_server.rules.errors import Code

_WORDS = ("title", "description", "examples")
Surface = dict[str, Any]


def surface() -> Surface:
    """Return it, as JSON has it."""
    return {
        "protocol": PROTOCOL_VERSION,
        "connect": {"payload": name_of(ConnectAuth), "replies": [name_of(ConnectError)]},
        "events": {name: [name_of(kind) for kind in row.payloads] for name, row in EVENTS.items()},
        "commands": {
            name: {"payload": name_of(row.payload), "replies": [name_of(kind) for kind in row.replies]}
            for name, row in COMMANDS.items()
        },
        "routes": {
            name: {
                "route": f"{row.method} {row.path}",
                "auth": str(row.auth),
                "query": _named(row.query),
                "payload": _named(row.payload),
                "answer": _named(row.answer),
                "status": row.status,
            }
            for name, row in ROUTES.items()
        },
        "codes": sorted(Code),
        "schemas": {name: _bare(schema) for name, schema in components().items()},
    }


def _named(kind: type[Struct] | None) -> str | None:
    return None if kind is None else name_of(kind)


def _bare(schema: Any, *, keys: bool = False) -> Any:
    """Take the words out; under `properties` a key of such a name is a key (`keys`)."""
    match schema:
        case dict():
            return {
                key: _bare(inner, keys=key == "properties" and not keys)
                for key, inner in schema.items()
                if keys or key not in _WORDS
            }
        case list():
            return [_bare(inner) for inner in schema]
        case _:
            return schema
