"""What the server says of itself, and of what it has."""

from typing import Annotated, Literal

from msgspec import Struct

from pairquiz_server.protocol.fields import amount, said, whole


class TopicSize(Struct, frozen=True):
    """A topic, and how many questions it has."""

    name: Annotated[str, said("The topic.", "General")]
    questions: Annotated[int, amount("How many questions it has.", 120, "questions")]


class Topics(Struct, frozen=True):
    """All topics that can be played."""

    topics: Annotated[list[TopicSize], whole("The topics.")]


class Erasing(Struct, frozen=True):
    """What is stored about the player is being erased."""

    status: Annotated[Literal["erasing"], said("That it has begun.", "erasing")]


class Alive(Struct, frozen=True):
    """The process lives."""

    status: Annotated[Literal["ok"], said("That it does.", "ok")]


class Readiness(Struct, frozen=True):
    """Whether the server can be played on."""

    status: Annotated[
        Literal["ok", "failed"], said("Whether all checks hold but `redis`, without which players can play.", "ok")
    ]
    checks: Annotated[
        dict[str, Literal["ok", "failed"]],
        said(
            "Each check by its name: `database`, `migrations`, `durability`, `draining`, and `redis` if there is one.",
            {"database": "ok", "migrations": "ok", "durability": "ok", "draining": "ok"},
        ),
    ]
