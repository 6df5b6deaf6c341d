"""Senders: each command has one answer, whatever becomes of it."""

from typing import Any, cast

import pytest

from pairquiz_server.protocol.events import Left
from pairquiz_server.protocol.sending import Reply, Sender
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Status
from tests.rules.matches import ANNA, in_progress

LEFT = Left("session", Status.COMPLETED, 7)


class Listening(Sender, kw_only=True, eq=False):
    """A sender that keeps its answers."""

    answers: list[Reply | Refused]

    def send(self, outcome: Reply | Refused) -> None:
        self.answers.append(outcome)


@pytest.fixture
def sender() -> Listening:
    nothing = cast(Any, None)
    return Listening(player=ANNA, arrived_at=0, people=nothing, challenges=nothing, searches=nothing, answers=[])


def test_what_is_settled_is_answered_as_its_player_sees_it(sender: Listening) -> None:
    seats: list[int] = []

    def view(decision: Decision, seat: int) -> Reply:
        seats.append(seat)
        return Reply(LEFT)

    sender.caller(view).settle(Decision(in_progress()))
    assert (sender.answers, seats) == ([Reply(LEFT)], [0])


def test_a_refusal_is_answered_as_it_is_and_overheard_before(sender: Listening) -> None:
    refusal = Refused(Code.TOO_LATE)
    overheard: list[tuple[object, int]] = []
    sender.overheard = lambda outcome: overheard.append((outcome, len(sender.answers)))
    sender.caller(lambda decision, seat: Reply(LEFT)).settle(refusal)
    assert (sender.answers, overheard) == ([refusal], [(refusal, 0)])


def test_what_stands_and_cannot_be_shown_has_an_answer_after_which_a_client_asks_again(sender: Listening) -> None:
    def view(decision: Decision, seat: int) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sender.caller(view).settle(Decision(in_progress()))
    (answer,) = sender.answers
    assert isinstance(answer, Refused)
    assert (answer.code, answer.retry) == (Code.INTERNAL, True)
