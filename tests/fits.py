"""Holds what a server has said against the contract: its struct, key by key, and the codes of its command."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from pairquiz_server.protocol.codes import CODES
from pairquiz_server.protocol.commands import ANY_COMMAND, COMMANDS
from pairquiz_server.protocol.events import EVENTS, ConnectError, Failure, Problem
from pairquiz_server.protocol.rest import ANY_ROUTE, ROUTES, RestRow
from pairquiz_server.rules.errors import Code

CONNECT_ERROR = "connect_error"


class Misfit(AssertionError):
    """Something was said that the contract has not."""


def event_fits(name: str, payload: Any) -> None:
    """Raise `Misfit` where an event is not in the table, or its payload is not what the table says."""
    if name == CONNECT_ERROR:
        _fits(name, payload, (ConnectError,))
        return
    if name not in EVENTS:
        raise Misfit(f"there is no event {name!r} in the contract: {payload}")
    _fits(name, payload, EVENTS[name].payloads)
    if name == "error":
        _code_fits(payload["command"], payload["code"])


def acknowledgement_fits(command: str, answer: Any) -> None:
    """The same of the acknowledgement of a command."""
    if answer.get("ok") is True:
        told = {key: value for key, value in answer.items() if key != "ok"}
        _fits(f"the acknowledgement of {command}", told, COMMANDS[command].replies)
    elif answer.keys() == {"ok", "error"} and answer["ok"] is False:
        _fits(f"the refusal of {command}", answer["error"], (Problem,))
        _code_fits(command, answer["error"]["code"])
    else:
        raise Misfit(f"{command} was acknowledged by {answer}")


def answer_fits(name: str, payload: Any, kind: type[Struct]) -> None:
    """The same of what is one struct."""
    _fits(name, payload, (kind,))


def response_fits(method: str, path: str, status: int, body: Any) -> None:
    """The same of the answer to a request, where the contract has its route."""
    plain = path.partition("?")[0].removesuffix("/")
    there = [(name, row) for name, row in ROUTES.items() if row.path == plain]
    there = there or [(name, row) for name, row in ROUTES.items() if _leads(row.path, plain)]
    for name, row in there:
        if row.method == method:
            _response_fits(name, row, status, body)


def _leads(path: str, plain: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), plain) is not None


def _response_fits(name: str, row: RestRow, status: int, body: Any) -> None:
    if status in (row.status, *row.also):
        if row.answer:
            _fits(name, body, (row.answer,))
        return
    _fits(f"the refusal of {name}", body, (Failure,))
    code = Code(body["error"]["code"])
    if code not in (*row.codes, *ANY_ROUTE):
        raise Misfit(f"the contract does not have that {name} may be refused by {code}")
    if CODES[code].status != status:
        raise Misfit(f"{name} was refused by {code} with {status}")


def _fits(name: str, payload: Any, kinds: Iterable[type[Struct]]) -> None:
    wrong = [fault for kind in kinds if (fault := _fault(payload, kind))]
    if len(wrong) == len(list(kinds)):
        raise Misfit(f"{name} does not fit the contract: {'; '.join(wrong)}: {payload}")


def _fault(payload: Any, kind: type[Struct]) -> str:
    """Say what is wrong; nothing where a payload is read as the struct, and written from it as it was."""
    try:
        read = msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        return f"{kind.__name__}: {error}"
    written = msgspec.json.decode(msgspec.json.encode(read))
    return "" if written == payload else f"{kind.__name__} says it as {written}"


def _code_fits(command: str, code: str) -> None:
    if command not in COMMANDS:
        if command != "connect" and code not in (Code.UNKNOWN_COMMAND, Code.RATE_LIMITED):
            raise Misfit(f"{command!r} is no command, and was refused by {code}")
    elif code not in (*COMMANDS[command].codes, *ANY_COMMAND):
        raise Misfit(f"the contract does not have that {command} may be refused by {code}")
