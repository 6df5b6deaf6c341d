"""`pairquiz-server schema`: the contract on stdout."""

import json

import pytest

from pairquiz_server.contract.openapi import openapi
from pairquiz_server.contract.typescript import typescript
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.events import EVENTS
from tests.cli.conftest import Invoke, one_line


def test_the_contract_is_printed_in_each_form(invoke: Invoke) -> None:
    assert json.loads(invoke("schema", "openapi").stdout) == json.loads(json.dumps(openapi()))
    assert json.loads(invoke("schema", "asyncapi").stdout)["asyncapi"] == "3.0.0"
    assert invoke("schema", "typescript").stdout == typescript()
    assert json.loads(invoke("schema", "events").stdout).keys() == EVENTS.keys()
    assert json.loads(invoke("schema", "commands").stdout).keys() == COMMANDS.keys()
    assert "### QuizState" in invoke("schema", "reference").stdout


def test_one_event_or_command_is_printed_alone(invoke: Invoke) -> None:
    assert json.loads(invoke("schema", "events", "quiz_state").stdout)["title"] == "The event quiz_state"
    assert "SubmitAnswer" in json.loads(invoke("schema", "commands", "submit_answer").stdout)["$defs"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("events", "quiz_over"), "There is no event 'quiz_over'"),
        (("openapi", "quiz_state"), "openapi is one document"),
        (("protobuf",), "protobuf"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(invoke: Invoke, words: tuple[str, ...], told: str) -> None:
    assert told in one_line(invoke("schema", *words))
