"""Every key says what it means, in which unit, and shows an example that its struct takes."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from pairquiz_server.contract.examples import example, least
from pairquiz_server.contract.schemas import Schema, components, name_of, received, sent
from pairquiz_server.engine.memory import PAGE_MAX
from pairquiz_server.store.standings import TOP
from tests.fits import answer_fits

NAMES = {"id", "question_id", "index", "correct_option", "your_answer", "opponent_answer", "answer", "rank", "protocol",
         "protocols", "user_id", "version"}  # fmt: skip
"""Numbers that count nothing: they say which."""
KEYS = [
    (f"{name}.{key}", field)
    for name, schema in components().items()
    for key, field in schema.get("properties", {}).items()
]


def test_a_list_is_as_long_as_the_contract_says() -> None:
    limits = [components()[name]["properties"]["limit"]["anyOf"][0] for name in ("PageQuery", "RankQuery")]
    assert [limit["maximum"] for limit in limits] == [PAGE_MAX, TOP]


def types(schema: Schema) -> set[str]:
    return {choice.get("type", "") for choice in schema.get("anyOf", [schema])}


@pytest.mark.parametrize(("where", "field"), KEYS, ids=[where for where, _ in KEYS])
def test_a_key_is_described(where: str, field: Schema) -> None:
    assert field["description"].endswith("."), "a sentence"
    number = types(field) & {"integer", "number"}
    assert ("x-unit" in field) is bool(number and where.rpartition(".")[2] not in NAMES)
    assert bool(field.get("examples")) or any("$ref" in text for text in inner_texts(field)), "an example"


@pytest.mark.parametrize("schema", components().values(), ids=components())
def test_a_struct_says_what_it_is(schema: Schema) -> None:
    assert schema["description"].endswith(".")


def inner_texts(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, inner in schema.items():
            yield key
            yield from inner_texts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from inner_texts(inner)


@pytest.mark.parametrize("kind", received(), ids=name_of)
def test_an_example_of_what_is_received_is_what_the_server_would_say(kind: type[Struct]) -> None:
    for payload in (example(kind), least(kind)):
        answer_fits(kind.__name__, json.loads(json.dumps(payload)), kind)


@pytest.mark.parametrize("kind", sent(), ids=name_of)
def test_an_example_of_what_is_sent_is_taken(kind: type[Struct]) -> None:
    for payload in (example(kind), least(kind)):
        assert msgspec.to_builtins(msgspec.json.decode(json.dumps(payload), type=kind)).items() >= payload.items()


@pytest.mark.parametrize("kind", [*sent(), *received()], ids=name_of)
def test_each_example_of_a_key_is_one_of_its_type(kind: type[Struct]) -> None:
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    hints = msgspec.structs.fields(kind)
    for field in hints:
        for one in components()[name_of(kind)]["properties"][field.encode_name].get("examples", []):
            msgspec.convert(json.loads(json.dumps(one)), field.type)
