"""What is wrong with a payload, and what to send instead: by its key, and in JSON's words."""

import re
from functools import cache

import msgspec
from msgspec import Struct, ValidationError
from msgspec.inspect import (
    BoolType,
    EnumType,
    Field,
    FloatType,
    IntType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
)

from pairquiz_server.validation import fault

_GOT = {
    "str": "a string",
    "int": "a number",
    "float": "a number with a decimal point",
    "bool": "a boolean",
    "null": "null",
    "array": "an array",
    "object": "an object",
}
"""What msgspec calls a value → what JSON does."""
_FOUND = re.compile(r"got `(\w+)`")


def mistake(kind: type[Struct], error: ValidationError) -> str:
    """Say in one line what is wrong with a payload of this kind."""
    wrong = fault(error)
    found = _FOUND.search(wrong.reason)
    got = f", got {_GOT.get(found[1], found[1])}" if found else ""
    field = _fields(kind).get(wrong.path)
    if field is None:
        return f"{wrong.path}: {wrong.reason}" if wrong.path else f"The payload: expected an object{got}"
    expected = in_words(field.type)
    if wrong.reason == "is missing":
        return f"{wrong.path}: is missing: expected {expected}"
    return f"{wrong.path}: expected {expected}{got}"


def in_words(kind: Type) -> str:
    """Say what a key may be."""
    *others, last = _alternatives(kind)
    if len(others) < 2:
        return " or ".join([*others, last])
    return f"{', '.join(others)}, or {last}"


@cache
def _fields(kind: type[Struct]) -> dict[str, Field]:
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, StructType)
    return {field.encode_name: field for field in described.fields}


def _alternatives(kind: Type) -> list[str]:
    match kind:
        case Metadata(type=inner):
            return _alternatives(inner)
        case UnionType(types=types):
            numbers = any(isinstance(one, FloatType) for one in types)
            return [word for one in types if not (numbers and isinstance(one, IntType)) for word in _alternatives(one)]
        case EnumType(cls=choices):
            return [str(choice.value) for choice in choices]
        case IntType(ge=None, le=None):
            return ["a whole number"]
        case IntType(ge=least, le=most):
            return [f"a whole number from {least} to {most}"]
        case FloatType():
            return ["a number"]
        case StrType(min_length=least, max_length=most, pattern=None):
            return [_text(least or 0, most)]
        case StrType(min_length=least, max_length=most):  # there is one pattern: the operator's notes'
            return [_text(least or 0, most) + " that is not blank and has no control characters"]
        case BoolType():
            return ["true", "false"]
        case NoneType():
            return ["null"]
        case _:
            raise NotImplementedError(f"no payload has had a {type(kind).__name__} so far")


def _text(least: int, most: int | None) -> str:
    if most is None:
        return "a string that is not empty" if least else "a string"
    return f"a string of {least} to {most} characters"
