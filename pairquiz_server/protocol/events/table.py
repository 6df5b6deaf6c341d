"""A row for each event: who hears it, and what it carries. A new event is a new row."""

from msgspec import Struct

from pairquiz_server.protocol.events.absence import (
    OpponentDisconnected,
    OpponentLeft,
    OpponentReconnected,
    SessionDelayed,
)
from pairquiz_server.protocol.events.connection import Maintenance, ServerDraining, TokenExpiring, Welcome
from pairquiz_server.protocol.events.ending import QuizResults, SessionExpired
from pairquiz_server.protocol.events.meeting import (
    OpponentFound,
    OpponentJoined,
    OpponentSearch,
    QuizCreated,
    RematchRequested,
)
from pairquiz_server.protocol.events.playing import (
    Completed,
    OpponentAnswer,
    OwnAnswer,
    QuizStarted,
    RoundClosed,
    RoundOpened,
)
from pairquiz_server.protocol.events.records import RatingChanged
from pairquiz_server.protocol.events.refusal import CommandRefused
from pairquiz_server.protocol.events.state import QuizState


class EventRow(Struct, frozen=True):
    """Which structs an event carries (two where its hearers see different things), and who hears it when."""

    payloads: tuple[type[Struct], ...]
    to: str


EVENTS: dict[str, EventRow] = {
    "welcome": EventRow((Welcome,), "the connection, first of all"),
    "quiz_created": EventRow((QuizCreated,), "the creator"),
    "opponent_joined": EventRow((OpponentJoined,), "both"),
    "opponent_found": EventRow((OpponentFound,), "both who looked for somebody"),
    "opponent_search": EventRow((OpponentSearch,), "who looks for somebody, every 2 s"),
    "quiz_started": EventRow((QuizStarted,), "both"),
    "round_opened": EventRow((RoundOpened,), "both, in rounds"),
    "round_closed": EventRow((RoundClosed,), "both, in rounds"),
    "answer_submitted": EventRow((OwnAnswer, OpponentAnswer), "the one who answered, in all tabs, and the other"),
    "opponent_completed": EventRow((Completed,), "the other"),
    "quiz_results": EventRow((QuizResults,), "both, once"),
    "opponent_disconnected": EventRow((OpponentDisconnected,), "the other"),
    "opponent_reconnected": EventRow((OpponentReconnected,), "the other; who is back gets `quiz_state`"),
    "opponent_left": EventRow((OpponentLeft,), "the other"),
    "session_expired": EventRow((SessionExpired,), "both"),
    "session_delayed": EventRow((SessionDelayed,), "both, after the server was away"),
    "quiz_state": EventRow(
        (QuizState,), "a connection, behind `welcome`; a player, where no other event tells of a change"
    ),
    "rematch_requested": EventRow((RematchRequested,), "the other"),
    "rating_changed": EventRow((RatingChanged,), "each player who was rated, a second or two after `quiz_results`"),
    "token_expiring": EventRow((TokenExpiring,), "the connection, a minute before"),
    "server_draining": EventRow((ServerDraining,), "everybody"),
    "maintenance": EventRow((Maintenance,), "everybody, at each change; a connection behind `welcome`, while it is on"),
    "error": EventRow((CommandRefused,), "the sender of a command, where no acknowledgement was asked for"),
}
