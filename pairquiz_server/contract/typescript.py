"""The contract as TypeScript, for `Socket<ServerToClientEvents, ClientToServerEvents>` of socket.io-client."""

import json
from collections.abc import Iterable, Iterator

from msgspec import Struct

from pairquiz_server.contract.schemas import Schema, components, name_of
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS
from pairquiz_server.protocol.versions import PROTOCOL_VERSION, SPOKEN

_HEAD = f"""\
// Written by scripts/contract from pairquiz_server/protocol. Change it there.

/** The version of the protocol that is described here: to be said as `auth.protocol`. */
export const PROTOCOL = {PROTOCOL_VERSION};

/** All versions that such a server speaks. */
export const SPOKEN_PROTOCOLS: readonly number[] = [{", ".join(map(str, SPOKEN))}];

/** What a command is acknowledged by: what its event has, or why it was refused. */
export type Ack<Reply> = ({{ ok: true }} & Reply) | {{ ok: false; error: Problem }};
"""
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def typescript() -> str:
    """Return the file."""
    return "\n".join([_HEAD, *_types(), _commands(), _client_to_server(), _server_to_client()])


def _types() -> Iterator[str]:
    for name, schema in components().items():
        if "enum" in schema:
            words = "".join(f"\n  | {json.dumps(word)}" for word in schema["enum"])
            yield f"{_comment([schema['description']])}export type {name} ={words};\n"
        else:
            yield f"{_comment([schema['description']])}{_interface(name, schema)}"


def _interface(name: str, schema: Schema) -> str:
    if not schema["properties"]:
        return f"export type {name} = Record<string, never>;\n"
    fields = "".join(
        f"{_comment(_said(inner), '  ')}  {key}{'' if key in schema['required'] else '?'}: {_type(inner)};\n"
        for key, inner in schema["properties"].items()
    )
    return f"export interface {name} {{\n{fields}}}\n"


def _said(field: Schema) -> list[str]:
    lines = [field["description"]]
    if unit := field.get("x-unit"):
        lines.append(f"@unit {unit}")
    if example := field.get("examples"):
        lines.append(f"@example {json.dumps(example[0], ensure_ascii=False)}")
    return lines


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": place}:
            return str(place.rpartition("/")[2])
        case {"anyOf": choices}:
            return " | ".join(dict.fromkeys(map(_type, choices)))
        case {"const": word}:
            return json.dumps(word)
        case {"enum": words}:
            return " | ".join(map(json.dumps, words))
        case {"type": "array", "items": inner}:
            item = _type(inner)
            return f"({item})[]" if "|" in item else f"{item}[]"
        case {"type": "object", "additionalProperties": inner}:
            return f"Record<string, {_type(inner)}>"
        case {"type": str(scalar)}:
            return _SCALARS[scalar]
        case _:
            raise NotImplementedError(f"no TypeScript is known for {schema}")


def _commands() -> str:
    rows = "".join(
        f"  {name}: {{ payload: {name_of(row.payload)}; reply: {_either(row.replies)} }};\n"
        for name, row in COMMANDS.items()
    )
    told = _comment(["What each command carries, and what it is acknowledged by beside `ok`."])
    return f"{told}export interface Commands {{\n{rows}}}\n"


def _client_to_server() -> str:
    rows = "".join(
        _comment([components()[name_of(row.payload)]["description"], _refused(row.codes)], "  ")
        + f"  {name}: (payload: {_payload(row.payload)}, ack?: (reply: Ack<{_either(row.replies)}>) => void) => void;\n"
        for name, row in COMMANDS.items()
    )
    return f"/** What a client may emit. */\nexport interface ClientToServerEvents {{\n{rows}}}\n"


def _server_to_client() -> str:
    rows = "".join(
        _comment([f"To {row.to}."], "  ") + f"  {name}: (event: {_either(row.payloads)}) => void;\n"
        for name, row in EVENTS.items()
    )
    return f"/** What a client hears. */\nexport interface ServerToClientEvents {{\n{rows}}}\n"


def _payload(kind: type[Struct]) -> str:
    """A payload of which nothing is required may be null."""
    return name_of(kind) if components()[name_of(kind)]["required"] else f"{name_of(kind)} | null"


def _either(kinds: Iterable[type[Struct]]) -> str:
    return " | ".join(map(name_of, kinds))


def _refused(codes: Iterable[str]) -> str:
    return f"Refused by {', '.join(f'`{code}`' for code in codes)}." if codes else ""


def _comment(lines: Iterable[str], indent: str = "") -> str:
    """Return a JSDoc comment."""
    told = [part for line in lines if line for part in line.split("\n\n")]
    if len(told) == 1 and len(told[0]) < 100:
        return f"{indent}/** {told[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in told) + f"{indent} */\n"
