"""The tables of docs/protocol.md: commands, events, routes, codes, and every struct with its keys."""

import json
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from pairquiz_server.contract.openapi import shown_path
from pairquiz_server.contract.schemas import Schema, components, name_of
from pairquiz_server.protocol.codes import CODES
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS
from pairquiz_server.protocol.rest import ROUTES, Auth
from pairquiz_server.rules.errors import RETRYABLE

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NEEDED = {Auth.TOKEN: "yes", Auth.OPTIONAL: "may have one", Auth.NONE: "no", Auth.OPERATOR: "the operator's"}


def filled(text: str) -> str:
    """Return a document with its tables, each between `<!-- table: name -->` and `<!-- end -->`, written anew."""
    made = {
        "commands": _commands,
        "events": _events,
        "routes": _routes,
        "codes": _codes,
        "structs": _structs,
    }
    return _TABLE.sub(lambda found: f"{found[1]}\n" + "\n".join(made[found[2]]()) + f"\n\n{found[3]}", text)


def reference() -> str:
    """Return all tables."""
    parts = {
        "Commands": _commands(),
        "Events": _events(),
        "REST": _routes(),
        "Error codes": _codes(),
        "Structs": _structs(),
    }
    return "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in parts.items()) + "\n"


def _commands() -> Iterator[str]:
    yield "| command | payload | acknowledgement, beside `ok` | else the event | refused by |"
    yield "|---|---|---|---|---|"
    for name, row in COMMANDS.items():
        event = f"`{row.event}`" if row.event else "–"
        yield f"| `{name}` | {_keys(row.payload)} | {_links(row.replies)} | {event} | {_words(row.codes) or '–'} |"


def _events() -> Iterator[str]:
    yield "| event | to | payload |"
    yield "|---|---|---|"
    for name, row in EVENTS.items():
        yield f"| `{name}` | {row.to} | {_links(row.payloads)} |"


def _routes() -> Iterator[str]:
    yield "| route | what | token | query or body | answer |"
    yield "|---|---|---|---|---|"
    for row in ROUTES.values():
        kind = row.query or row.payload
        sent = _keys(kind) if kind else "–"
        answer = f"{row.status}{' ' + _links([row.answer]) if row.answer else ''}"
        yield f"| `{row.method} {shown_path(row)}` | {row.summary} | {_NEEDED[row.auth]} | {sent} | {answer} |"


def _codes() -> Iterator[str]:
    yield "| code | when | retry | HTTP |"
    yield "|---|---|---|---|"
    for code, row in CODES.items():
        yield f"| `{code}` | {row.when} | {'yes' if code in RETRYABLE else 'no'} | {row.status} |"


def _structs() -> Iterator[str]:
    for name, schema in components().items():
        yield f"### {name}\n"
        yield schema["description"].replace("\n\n", " ")
        yield ""
        if "enum" in schema:
            yield f"One of {_words(schema['enum'])}.\n"
        elif schema["properties"]:
            yield "| key | type | what | example |"
            yield "|---|---|---|---|"
            for key, inner in schema["properties"].items():
                yield _row(key, inner, required=key in schema["required"])
            yield ""
        else:
            yield "It has no keys.\n"


def _row(key: str, schema: Schema, *, required: bool) -> str:
    unit = f" ({schema['x-unit']})" if "x-unit" in schema else ""
    examples = schema.get("examples")
    example = f"`{json.dumps(examples[0], ensure_ascii=False)}`" if examples else ""
    return f"| `{key}`{'' if required else '?'} | {_type(schema)} | {schema['description']}{unit} | {example} |"


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": place}:
            return _link(place.rpartition("/")[2])
        case {"anyOf": choices}:
            return " or ".join(map(_type, choices))
        case {"const": word}:
            return f"`{json.dumps(word)}`"
        case {"enum": words}:
            return " or ".join(f"`{json.dumps(word)}`" for word in words)
        case {"type": "array", "items": inner}:
            return f"list of {_type(inner)}"
        case {"type": "object", "additionalProperties": inner}:
            return f"object of {_type(inner)}"
        case {"type": "integer"}:
            return f"whole number{_range(schema, 'minimum', 'maximum')}"
        case {"type": "string"}:
            return f"string{_range(schema, 'minLength', 'maxLength')}"
        case _:
            return str(schema["type"])


def _range(schema: Schema, least: str, most: str) -> str:
    if most in schema:
        return f", {schema.get(least, 0)} to {schema[most]}"
    return f", at least {schema[least]}" if least in schema else ""


def _keys(kind: type[Struct]) -> str:
    """Name the keys of a payload; those that may be missing have a question mark."""
    schema = components()[name_of(kind)]
    keys = [f"`{key}`{'' if key in schema['required'] else '?'}" for key in schema["properties"]]
    return f"{_link(name_of(kind))}: {', '.join(keys)}" if keys else "–"


def _links(kinds: Iterable[type[Struct]]) -> str:
    return " or ".join(_link(name_of(kind)) for kind in kinds)


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
