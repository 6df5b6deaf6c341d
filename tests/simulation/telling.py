"""What happened, in the words of a story."""

from typing import Any

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import Answer, AnswerAccepted
from pairquiz_server.store.rows import Change
from tests.simulation.connection import Reply, Request
from tests.simulation.node import EPOCH_MS


def match_of(request: Request) -> str | None:
    return request.wishes.get("match_id")


def names(told: Change | Decision) -> str:
    return ", ".join(
        f"{type(event).__name__}(seat {event.seat}, question {event.answer.question_id}, {event.answer.points} points)"
        if isinstance(event, AnswerAccepted)
        else type(event).__name__
        for event in told.events
    )


def questions(answers: tuple[Answer, ...]) -> str:
    return ", ".join(f"question {answer.question_id} ({answer.points})" for answer in answers)


def asked(request: Request) -> str:
    wishes: dict[str, Any] = {name: wish for name, wish in request.wishes.items() if name != "match_id"}
    return f"{request.player.id} {request.verb} {wishes or ''}".strip()


def outcome(reply: Reply) -> str:
    if isinstance(reply, Refused):
        return f"refused, {reply.code}"
    if isinstance(reply, bool):
        return "it is so" if reply else "it is not so"
    return f"{'duplicate' if reply.duplicate else 'done'}, version {reply.match.version}"


def clock(at_ms: int) -> str:
    return f"{(at_ms - EPOCH_MS) / 1000:.3f}s"
