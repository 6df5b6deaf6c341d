"""What others read the contract by takes it: the validators of OpenAPI and AsyncAPI, and the compiler of TypeScript."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from pairquiz_server.contract.asyncapi import asyncapi
from pairquiz_server.contract.examples import example, least
from pairquiz_server.contract.jsonschema import command_schemas, event_schemas
from pairquiz_server.contract.openapi import openapi
from pairquiz_server.contract.typescript import typescript
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS
from tests.contract.conftest import Run

STRICT = ("--strict", "--noEmit", "--module", "nodenext", "--noUncheckedIndexedAccess", "--target", "es2022")


def plain(document: Any) -> Any:
    """As it is read from the wire."""
    return json.loads(json.dumps(document))


def test_the_validator_of_openapi_takes_it() -> None:
    validate(plain(openapi()), cls=OpenAPIV31SpecValidator)


def test_the_parser_of_asyncapi_takes_it(run: Run) -> None:
    found = json.loads(run("parse.mjs", stdin=json.dumps(asyncapi())).stdout)
    assert found == {"errors": [], "operations": 1 + len(COMMANDS) + len(EVENTS)}


def test_the_parser_of_asyncapi_finds_what_is_wrong(run: Run) -> None:
    broken = plain(asyncapi())
    broken["operations"]["start_quiz"]["action"] = "shout"
    assert json.loads(run("parse.mjs", stdin=json.dumps(broken)).stdout)["errors"]


def test_what_a_frontend_writes_compiles_and_its_mistakes_do_not(run: Run, folder: Path) -> None:
    (folder / "contract.ts").write_text(typescript(), encoding="utf-8")
    compiled = run("node_modules/typescript/bin/tsc", *STRICT, "duel.ts")
    assert compiled.returncode == 0, compiled.stdout


@pytest.mark.parametrize("name", EVENTS)
def test_the_schema_of_an_event_takes_its_examples(name: str) -> None:
    validator = Draft202012Validator(plain(event_schemas()[name]))
    for kind in EVENTS[name].payloads:
        for payload in (example(kind), least(kind)):
            validator.validate(plain(payload))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_schema_of_a_command_takes_its_examples(name: str) -> None:
    validator = Draft202012Validator(plain(command_schemas()[name]))
    kind = COMMANDS[name].payload
    whole = example(kind)
    for payload in (whole, least(kind), dict.fromkeys(whole.keys() - least(kind).keys()) | least(kind)):
        validator.validate(plain(payload))
