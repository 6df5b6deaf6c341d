"""The commands and events of the sockets as AsyncAPI 3."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from pairquiz_server import __version__
from pairquiz_server.contract.examples import example
from pairquiz_server.contract.schemas import name_of, one_of, placed, reachable
from pairquiz_server.protocol.commands import ANY_COMMAND, COMMANDS, CommandRow
from pairquiz_server.protocol.events import EVENTS, ConnectError, EventRow, Problem
from pairquiz_server.protocol.payloads import ConnectAuth
from pairquiz_server.protocol.versions import PROTOCOL_VERSION
from pairquiz_server.rules.errors import Code

_PLACE = "#/components/schemas/{name}"
_DESCRIPTION = f"""\
Two-player quiz duels over Socket.IO 5 (Engine.IO 4), main namespace. Each message here is one event: its name, and one
payload. A command may ask for an acknowledgement, `{{ok: true, …}}` or `{{ok: false, error}}`; without one the reply
comes as an event. This is version {PROTOCOL_VERSION} of the protocol, which a client may say as `auth.protocol`."""

_CONNECT = {
    "action": "receive",
    "channel": {"$ref": "#/channels/connection"},
    "summary": "Let a client in: `welcome` is the first event then. Else it hears why not.",
    "messages": [{"$ref": "#/channels/connection/messages/CONNECT"}],
    "reply": {
        "channel": {"$ref": "#/channels/connection"},
        "messages": [{"$ref": "#/channels/connection/messages/CONNECT_ERROR"}],
    },
}


def asyncapi() -> dict[str, Any]:
    """Return the document."""
    commands = {name: _command(name, row) for name, row in COMMANDS.items()}
    replies = {f"{name}.ack": _acknowledgement(name, row) for name, row in COMMANDS.items()}
    events = {f"{name}.event" if name in COMMANDS else name: _event(name, row) for name, row in EVENTS.items()}
    door = {"CONNECT": _door(ConnectAuth), "CONNECT_ERROR": _door(ConnectError)}
    kinds: list[type[Struct]] = [Problem, ConnectAuth, ConnectError]
    kinds += [kind for row in COMMANDS.values() for kind in (row.payload, *row.replies)]
    kinds += [kind for event in EVENTS.values() for kind in event.payloads]
    schemas = {name: _portable(schema) for name, schema in reachable(map(name_of, kinds)).items()}
    messages = door | commands | replies | events
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "pairquiz-server",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "localhost:8000",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "A server on this machine; `/ws/` takes a bare websocket, too.",
            }
        },
        "channels": {
            "connection": {
                "address": "/",
                "title": "The packets by which a client connects to the main namespace",
                "messages": _placed(door),
            },
            "duel": {
                "address": "/",
                "title": "The events of the main namespace",
                "messages": _placed([*commands, *events]),
            },
            "acknowledgements": {
                "address": None,
                "title": "The acknowledgement of a command, by the number that it was sent with",
                "messages": _placed(replies),
            },
        },
        "operations": {"connect": _CONNECT}
        | {name: _receive(name, row) for name, row in COMMANDS.items()}
        | {f"tell_{name}": _send(message) for name, message in zip(EVENTS, events, strict=True)},
        "components": {"messages": messages, "schemas": placed(schemas, _PLACE)},
    }


def _placed(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _door(kind: type[Struct]) -> dict[str, Any]:
    return {
        "summary": _summary(kind),
        "payload": _portable(one_of([kind], _PLACE)),
        "examples": [{"payload": example(kind)}],
    }


def _summary(kind: type[Struct]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _command(name: str, row: CommandRow) -> dict[str, Any]:
    return {
        "name": name,
        "summary": _summary(row.payload),
        "payload": _portable(one_of([row.payload], _PLACE)),
        "examples": [{"payload": example(row.payload)}],
    }


def _acknowledgement(name: str, row: CommandRow) -> dict[str, Any]:
    done = {"type": "object", "properties": {"ok": {"const": True}}, "required": ["ok"]}
    refused = {
        "type": "object",
        "properties": {"ok": {"const": False}, "error": _portable(one_of([Problem], _PLACE))},
        "required": ["ok", "error"],
    }
    codes: list[Code] = [*row.codes, *ANY_COMMAND]
    return {
        "name": name,
        "title": f"The acknowledgement of {name}",
        "summary": f"May be refused by {', '.join(f'`{code}`' for code in codes)}.",
        "payload": {"oneOf": [{"allOf": [done, _portable(one_of(row.replies, _PLACE))]}, refused]},
        "examples": [{"payload": {"ok": True, **example(kind)}} for kind in row.replies],
    }


def _event(name: str, row: EventRow) -> dict[str, Any]:
    return {
        "name": name,
        "summary": f"To {row.to}.",
        "payload": _portable(one_of(row.payloads, _PLACE)),
        "examples": [{"payload": example(kind)} for kind in row.payloads],
    }


def _receive(name: str, row: CommandRow) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": "#/channels/duel"},
        "summary": _summary(row.payload),
        "messages": [{"$ref": f"#/channels/duel/messages/{name}"}],
        "reply": {
            "channel": {"$ref": "#/channels/acknowledgements"},
            "messages": [{"$ref": f"#/channels/acknowledgements/messages/{name}.ack"}],
        },
    }


def _send(message: str) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/duel"},
        "messages": [{"$ref": f"#/channels/duel/messages/{message}"}],
    }


def _portable(schema: Any) -> Any:
    """Return a schema in which nothing stands beside a reference: there AsyncAPI would not read it."""
    match schema:
        case {"$ref": place, **rest} if rest:
            return {**_portable(rest), "allOf": [{"$ref": place}]}
        case dict():
            return {key: _portable(inner) for key, inner in schema.items()}
        case list():
            return [_portable(inner) for inner in schema]
        case _:
            return schema
