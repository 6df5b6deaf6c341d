"""What is said where something is refused: in an acknowledgement, as an event, and at the door."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.fields import amount, said, span, whole
from pairquiz_server.rules.errors import Code


class Problem(Struct, frozen=True, omit_defaults=True):
    """Why something was refused: nothing has changed."""

    code: Annotated[Code, said("The stable name of the refusal. More may come.", "not_enough_questions")]
    message: Annotated[
        str, said("What is wrong and what to do, in English.", "The topic 'Art' has 3 of the 5 questions needed")
    ]
    retry: Annotated[bool, said("Whether the same may succeed later, unchanged.", False)]
    retry_in_ms: Annotated[int | None, span("How long to wait before that.", 1_200)] = None
    available: Annotated[int | None, amount("How many questions the topic has.", 3, "questions")] = None


class CommandRefused(Problem, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal, to who has asked for no acknowledgement."""

    command: Annotated[str, said("What was refused: a command, or `connect`.", "create_pair_quiz")]


class Failure(Struct, frozen=True):
    """What every refusal by REST says."""

    error: Annotated[Problem, whole("Why it was refused.")]


class ConnectProblem(Struct, frozen=True, omit_defaults=True):
    """The `data` of a CONNECT_ERROR. It is final: coming again unchanged meets the same."""

    code: Annotated[Code, said("The stable name of the refusal.", "unsupported_protocol")]
    retry: Annotated[bool, said("Never true.", False)]
    protocols: Annotated[
        Sequence[int] | None, said("The versions that are spoken here: with `unsupported_protocol`.", (1,))
    ] = None


class ConnectError(Struct, frozen=True):
    """CONNECT_ERROR: who came is not let in. In the official client it is the event `connect_error`."""

    message: Annotated[str, said("What is wrong and what to do, in English.", "A valid token is required")]
    data: Annotated[ConnectProblem, whole("What a program may go by.")]
