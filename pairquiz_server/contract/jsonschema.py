"""A JSON Schema for each event and each command, each whole by itself."""

from msgspec import Struct

from pairquiz_server.contract.schemas import DIALECT, Schema, name_of, one_of, reachable
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS


def event_schemas() -> dict[str, Schema]:
    """Return the schema of each event's payload, by the event's name."""
    return {name: _whole(f"The event {name}", row.payloads) for name, row in EVENTS.items()}


def command_schemas() -> dict[str, Schema]:
    """Return the schema of each command's payload, by the command's name."""
    return {name: _whole(f"The command {name}", (row.payload,)) for name, row in COMMANDS.items()}


def _whole(title: str, kinds: tuple[type[Struct], ...]) -> Schema:
    return {"$schema": DIALECT, "title": title, **one_of(kinds), "$defs": reachable(map(name_of, kinds))}
