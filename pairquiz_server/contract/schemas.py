"""The structs of the protocol as JSON Schema (2020-12), from which every document is made.

A key of what clients receive that may be missing is never null, and one that may be null is never missing; of what
they send, a missing key and null are the same.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS, ConnectError, Failure
from pairquiz_server.protocol.payloads import ConnectAuth
from pairquiz_server.protocol.rest import ROUTES
from pairquiz_server.rules.errors import Code

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
LOCAL = "#/$defs/{name}"
_NAMES = {"Code": "ErrorCode"}
"""What a type is called where its own name says too little outside of this project."""
_NULL = {"type": "null"}
_SAID = ("description", "examples", "x-unit")


def name_of(kind: type) -> str:
    """Return what a struct or an enum is called in all documents."""
    return _NAMES.get(kind.__name__, kind.__name__)


def sent() -> list[type[Struct]]:
    """Return the structs that clients send."""
    kinds: list[type[Struct]] = [ConnectAuth, *(row.payload for row in COMMANDS.values())]
    for route in ROUTES.values():
        kinds += [kind for kind in (route.payload, route.parts, route.query) if kind]
    return list(dict.fromkeys(kinds))


def received() -> list[type[Struct]]:
    """Return the structs that clients receive, but for those that are inside of others."""
    kinds = [kind for row in EVENTS.values() for kind in row.payloads]
    kinds += [kind for command in COMMANDS.values() for kind in command.replies]
    kinds += [route.answer for route in ROUTES.values() if route.answer]
    return list(dict.fromkeys([*kinds, ConnectError, Failure]))


@cache
def components() -> dict[str, Schema]:
    """Return the schema of each struct and enum by its name; they refer to each other by `LOCAL`."""
    kinds = [*sent(), *received(), Code]
    _, found = msgspec.json.schema_components(kinds, ref_template=LOCAL)
    enums = {enum.__name__: enum for kind in kinds for enum in _enums(msgspec.inspect.type_info(kind))}
    inputs = {kind.__name__ for kind in sent()}
    schemas = {
        name: _of_enum(schema, enums[name]) if name in enums else _of_struct(schema, sent=name in inputs)
        for name, schema in found.items()
    }
    named = {_NAMES.get(name, name): _renamed(schemas[name]) for name in sorted(schemas)}
    plain: dict[str, Schema] = msgspec.json.decode(msgspec.json.encode(named))
    return plain


def reachable(names: Iterable[str]) -> dict[str, Schema]:
    """Return the schemas of these names, and of all that they refer to."""
    schemas, waiting, found = components(), list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references(schemas[name])
    return {name: schemas[name] for name in schemas if name in found}


def references(schema: object) -> Iterator[str]:
    """Yield the names that a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for inner in schema.values():
            yield from references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from references(inner)


def placed(schema: Any, template: str) -> Any:
    """Return a schema whose references lead to where a document has its schemas."""
    match schema:
        case dict():
            return {
                key: template.format(name=inner.rpartition("/")[2]) if key == "$ref" else placed(inner, template)
                for key, inner in schema.items()
            }
        case list():
            return [placed(inner, template) for inner in schema]
        case _:
            return schema


def refer(kind: type[Struct], template: str = LOCAL) -> Schema:
    """Return a reference to a struct."""
    return {"$ref": template.format(name=name_of(kind))}


def one_of(kinds: Iterable[type[Struct]], template: str = LOCAL) -> Schema:
    """Return the schema of what is one of some structs."""
    choices = [refer(kind, template) for kind in kinds]
    return choices[0] if len(choices) == 1 else {"oneOf": choices}


def _enums(kind: object) -> Iterator[type[Enum]]:
    """Yield the enums that are anywhere in a type."""
    match kind:
        case msgspec.inspect.EnumType(cls=enum):
            yield enum
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                yield from _enums(field.type)
        case msgspec.inspect.UnionType(types=types):
            for one in types:
                yield from _enums(one)
        case msgspec.inspect.DictType(value_type=inner):
            yield from _enums(inner)
        case (
            msgspec.inspect.Metadata(type=inner)
            | msgspec.inspect.ListType(item_type=inner)
            | msgspec.inspect.VarTupleType(item_type=inner)
            | msgspec.inspect.CollectionType(item_type=inner)
        ):
            yield from _enums(inner)


def _of_enum(schema: Schema, enum: type[Enum]) -> Schema:
    return {
        "title": name_of(enum),
        "description": _flowing(schema.get("description", "")),
        "type": "string",
        "enum": [member.value for member in enum],
    }


def _of_struct(schema: Schema, *, sent: bool) -> Schema:
    required = schema.get("required", [])
    return {
        "title": schema["title"],
        "description": _flowing(schema.get("description", "")),
        "type": "object",
        "properties": {
            key: _of_field(inner, missing=not sent and key not in required)
            for key, inner in schema["properties"].items()
        },
        "required": required,
    }


def _of_field(schema: Schema, *, missing: bool) -> Schema:
    """Put what is said of a field at its top; what may be `missing` is not null."""
    field = {key: inner for key, inner in schema.items() if key != "default"}
    choices: list[Schema] = field.pop("anyOf", [])
    for choice in choices:
        for key in _SAID:
            if key in choice:
                field.setdefault(key, choice[key])
    choices = [{key: inner for key, inner in choice.items() if key not in _SAID} for choice in choices]
    if missing:
        choices = [choice for choice in choices if choice != _NULL]
    field |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
    return _typed(field)


def _typed(schema: Schema) -> Schema:
    """Say of words that they are texts, and of a single one that there is no other."""
    typed: Schema = {
        key: _typed(inner) if key in ("items", "additionalProperties") else inner for key, inner in schema.items()
    }
    if "enum" in typed:
        words = typed.pop("enum")
        typed |= {"type": "string"} | ({"const": words[0]} if len(words) == 1 else {"enum": words})
    return typed


def _renamed(schema: Any) -> Any:
    match schema:
        case dict():
            return {
                key: LOCAL.format(name=_NAMES.get(inner.rpartition("/")[2], inner.rpartition("/")[2]))
                if key == "$ref"
                else _renamed(inner)
                for key, inner in schema.items()
            }
        case list():
            return [_renamed(inner) for inner in schema]
        case _:
            return schema


def _flowing(text: str) -> str:
    """Return a docstring whose lines are as long as its reader's."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", cleandoc(text))
