"""What both made of each question, as it is shown at the end."""

from collections.abc import Iterator

from msgspec import Struct

from pairquiz_server.client.duel import Duel
from pairquiz_server.protocol.events import QuestionResult, QuestionView, Receipt
from pairquiz_server.terminal.words import name_of, points, shown


class Choice(Struct, frozen=True):
    """What one of the two has answered, and whether that was right; `option` is None where nothing was."""

    option: str | None
    right: bool
    points: str


class Reviewed(Struct, frozen=True):
    """A question when the match is over; `receipt` says how the own answer was judged, None where none was given."""

    number: int
    question: str
    right: str
    yours: Choice
    theirs: Choice
    receipt: str | None
    explanation: str | None


def review(duel: Duel) -> Iterator[Reviewed]:
    """Yield each question of a match that was played."""
    assert duel.results is not None  # it was played
    questions = {question.id: question for question in duel.questions}
    began_at = None if duel.in_rounds else duel.started_at  # in rounds each question has a beginning of its own
    for number, result in enumerate(duel.results.questions, 1):
        question = questions.get(result.id)
        if question is not None:
            yield _reviewed(number, question, result, began_at)


def lines(duel: Duel) -> Iterator[str]:
    """Yield the review as plain lines."""
    them = name_of(duel.opponent)
    for one in review(duel):
        yield f"{one.number}. {one.question}"
        yield f"   right: {one.right}"
        yield f"   you: {_said(one.yours)}" + (f" ({one.receipt})" if one.receipt else "")
        yield f"   {them}: {_said(one.theirs)}"
        if one.explanation:
            yield f"   {one.explanation}"


def _reviewed(number: int, question: QuestionView, result: QuestionResult, started_at: int | None) -> Reviewed:
    options = [shown(option) for option in question.options]

    def choice(answer: int | None, scored: int) -> Choice:
        option = None if answer is None else options[answer]
        return Choice(option, answer == result.correct_option, points(scored))

    return Reviewed(
        number=number,
        question=shown(question.text),
        right=options[result.correct_option],
        yours=choice(result.your_answer, result.your_points),
        theirs=choice(result.opponent_answer, result.opponent_points),
        receipt=None if result.receipt is None else receipt(result.receipt, started_at),
        explanation=None if result.explanation is None else shown(result.explanation),
    )


def receipt(judged: Receipt, started_at: int | None) -> str:
    """Say how an answer was judged: the sum, when it counts as given, and what its line was credited."""
    after = "" if started_at is None else f"; after {(judged.judged_at - started_at) / 1000:.1f} s"
    credit = f", {judged.lag_credit_ms} ms of it credited" if judged.lag_credit_ms else ""
    return f"{shown(judged.reason)}{after}{credit}"


def _said(choice: Choice) -> str:
    return f"{choice.option or 'nothing'}, {choice.points}"
