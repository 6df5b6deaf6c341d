"""Examples of whole structs, made of those of their fields."""

from typing import Any

from pairquiz_server.contract.schemas import Schema, components, name_of


def example(kind: type) -> Any:
    """Return an example of a struct that has all keys that it may have."""
    return _of(components()[name_of(kind)])


def least(kind: type) -> Any:
    """Return an example of a struct that has the keys alone that it must have."""
    whole, required = example(kind), components()[name_of(kind)]["required"]
    return {key: whole[key] for key in required}


def _of(schema: Schema) -> Any:
    match schema:
        case {"examples": [first, *_]}:
            return first
        case {"$ref": place}:
            return _of(components()[place.rpartition("/")[2]])
        case {"anyOf": [first, *_]}:
            return _of(first)
        case {"const": word} | {"enum": [word, *_]}:
            return word
        case {"properties": properties}:
            return {key: _of(inner) for key, inner in properties.items()}
        case {"additionalProperties": inner}:
            return {"7": _of(inner)}
        case {"items": inner}:
            return [_of(inner)]
        case _:
            raise NotImplementedError(f"nothing here is an example of {schema}")
