"""What a server tells, read by the structs of the protocol; what is not known here is nobody's concern here."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pairquiz_server.client.errors import ClientError
from pairquiz_server.protocol import events

Kind = TypeVar("Kind", bound=Struct)


class ErrorTold(Struct, frozen=True):
    """The event `error`: what was refused without an acknowledgement, or ends the connection."""

    message: str
    code: str
    retry: bool = False
    command: str = ""


class RatingChanged(Struct, frozen=True):
    """A completed match was rated."""

    session_id: str
    topic: str
    rating: int
    change: int
    provisional: bool


_KINDS: dict[str, type[Struct]] = {
    "welcome": events.Welcome,
    "opponent_joined": events.OpponentJoined,
    "opponent_found": events.OpponentFound,
    "opponent_search": events.OpponentSearch,
    "quiz_started": events.QuizStarted,
    "round_opened": events.RoundOpened,
    "round_closed": events.RoundClosed,
    "opponent_completed": events.Completed,
    "quiz_results": events.QuizResults,
    "opponent_disconnected": events.OpponentDisconnected,
    "opponent_reconnected": events.OpponentReconnected,
    "opponent_left": events.OpponentLeft,
    "session_expired": events.SessionExpired,
    "session_delayed": events.SessionDelayed,
    "quiz_state": events.QuizState,
    "rating_changed": RatingChanged,
    "server_draining": events.ServerDraining,
    "token_expiring": events.TokenExpiring,
    "error": ErrorTold,
}


class Heard(Struct, frozen=True):
    """An event: its name, what it says as JSON, and that as the protocol's struct, None for one not known here."""

    name: str
    said: Mapping[str, Any]
    event: Struct | None


def hear(name: str, said: Any) -> Heard:
    """Read an event. Raises `ClientError` for one that is not what the protocol says."""
    payload = said if isinstance(said, dict) else {}
    kind = _answer_kind(payload) if name == "answer_submitted" else _KINDS.get(name)
    if kind is None:
        return Heard(name, payload, None)
    return Heard(name, payload, read(payload, kind, name))


def read(said: Mapping[str, Any], kind: type[Kind], name: str) -> Kind:
    """Read what the protocol gives this shape to. Raises `ClientError`."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise ClientError(
            f"the server's {name} is not what this program understands ({error}): "
            "take the same version of pairquiz-server on both sides"
        ) from None


def _answer_kind(said: Mapping[str, Any]) -> type[Struct]:
    return events.OwnAnswer if said.get("player") == "you" else events.OpponentAnswer
