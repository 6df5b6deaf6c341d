"""What a server tells, read by the structs of the protocol; an event that is not known here is nobody's concern."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pairquiz_server.client.errors import ClientError
from pairquiz_server.protocol.events import OpponentAnswer, OwnAnswer
from pairquiz_server.protocol.events.table import EVENTS

Kind = TypeVar("Kind", bound=Struct)


class Heard(Struct, frozen=True):
    """An event: its name, what it says as JSON, and that as the protocol's struct, None for one not known here."""

    name: str
    said: Mapping[str, Any]
    event: Struct | None


def hear(name: str, said: Any) -> Heard:
    """Read an event. Raises `ClientError` for one that is not what the protocol says."""
    payload = said if isinstance(said, dict) else {}
    kind = _kind_of(name, payload)
    return Heard(name, payload, None if kind is None else read(payload, kind, name))


def read(said: Mapping[str, Any], kind: type[Kind], name: str) -> Kind:
    """Read what the protocol gives this shape to. Raises `ClientError`."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise ClientError(
            f"the server's {name} is not what this program understands ({error}): "
            "take the same version of pairquiz-server on both sides"
        ) from None


def _kind_of(name: str, said: Mapping[str, Any]) -> type[Struct] | None:
    if name == "answer_submitted":
        return OwnAnswer if said.get("player") == "you" else OpponentAnswer
    row = EVENTS.get(name)
    return None if row is None else row.payloads[0]
