"""Questions made up for tests."""

from collections.abc import Sequence
from uuid import UUID

from pairquiz_server.rules.question import Question


def key(number: int) -> str:
    return str(UUID(int=number))


def made(number: int, *, topic: str = "Numbers", text: str | None = None, keyed: bool = False) -> Question:
    """A question that no other number has."""
    return Question(
        topic=topic,
        text=text or f"Which number is {number}?",
        options=tuple(str(number + offset) for offset in range(4)),
        correct=number % 4,
        lang="en",
        explanation=f"{number} is {number}.",
        key=key(number) if keyed else None,
    )


def bank(count: int, *, topic: str = "Numbers", keyed: bool = False) -> Sequence[Question]:
    return [made(number, topic=topic, keyed=keyed) for number in range(count)]
