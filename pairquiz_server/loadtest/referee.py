"""Holds what two players were told of a match against what they did, against each other, and against the rules. Pure.

All that is found is a fault of the server, or of something between it and the players.
"""

from collections.abc import Iterator

from pairquiz_server.loadtest.finding import Fault, Finding
from pairquiz_server.loadtest.scale import Given, Scale
from pairquiz_server.loadtest.table import Answered, Side, Table
from pairquiz_server.protocol.events import OwnAnswer, QuizResults

CLOCK_SLACK_MS = 250
"""How far the times of an answer and of its match's start may be apart from what passed here: nodes have clocks of
their own, and whole milliseconds."""

Found = Iterator[tuple[Fault, str]]


def judge(table: Table, scale: Scale) -> list[Finding]:
    """Return all faults of a match that is done with; `scale` learns from it what answers are worth."""
    return [Finding(fault, table.session_id, text) for fault, text in _faults(table, scale)]


def _faults(table: Table, scale: Scale) -> Found:
    for seat, side in enumerate(table.sides):
        other = table.sides[1 - seat]
        yield from side.versions.faults()
        for question_id, answer in side.answers.items():
            yield from _answer(table, question_id, answer, scale)
        yield from _sums(side, other)
        yield from _results(side, other)
    yield from _same_questions(*table.sides)


def _answer(table: Table, question_id: int, answer: Answered, scale: Scale) -> Found:
    own = answer.own
    if own is None:
        yield Fault.UNACKNOWLEDGED, f"the answer to question {question_id} was never acknowledged"
        return
    if own.session_id != table.session_id:
        yield Fault.DISAGREEMENT, f"the answer to question {question_id} was taken for {own.session_id}"
    if own.correct != (answer.option == own.correct_option):
        yield Fault.WRONG_SCORE, f"option {answer.option} is {own.correct}, where {own.correct_option} is right"
    if own.receipt.points != own.points:
        yield Fault.WRONG_SCORE, f"{own.points} points, and a receipt over {own.receipt.points}"
    if not table.delayed:  # a clock that stood still is not ours to follow
        for text in scale.faults(_given(table, own)):
            yield Fault.WRONG_SCORE, text
        yield from _time(table, answer, own)


def _given(table: Table, own: OwnAnswer) -> Given:
    started = table.sides[0].started or table.sides[1].started
    span_ms = len(started.questions) * started.time_limit * 1000 if started else 1
    return Given(own.correct, own.points, own.receipt.reason, table.deadline_at - own.receipt.judged_at, span_ms)


def _time(table: Table, answer: Answered, own: OwnAnswer) -> Found:
    """Hold the time by which an answer was judged against ours: it was sent, and acknowledged, between two moments."""
    started = table.sides[0].started or table.sides[1].started
    if started is None or own.duplicate:
        return
    receipt = own.receipt
    if receipt.judged_at != receipt.arrived_at - receipt.lag_credit_ms:
        yield Fault.WRONG_SCORE, f"judged at {receipt.judged_at}, which is not the arrival less its credit: {receipt}"
    took_ms = receipt.arrived_at - started.started_at
    least, most = answer.sent_ms - table.told_ms, answer.acknowledged_ms - table.asked_ms
    if not least - CLOCK_SLACK_MS <= took_ms <= most + CLOCK_SLACK_MS:
        yield Fault.WRONG_SCORE, f"arrived {took_ms} ms after the start, which was {least:.0f} to {most:.0f} ms ago"


def _sums(side: Side, other: Side) -> Found:
    """Each answer raises the score by its points, and the opponent is told of it once, with the same sum."""
    told: dict[int, int] = {}
    for event in other.opponents:
        told[event.question_id] = told.get(event.question_id, 0) + 1
        if told[event.question_id] == 2:
            yield Fault.DOUBLED, f"the opponent was told twice that question {event.question_id} is answered"
    by_question = {event.question_id: event for event in other.opponents}
    fresh = sorted((a.own for a in side.answers.values() if a.own and not a.own.duplicate), key=lambda own: own.version)
    whole = len(fresh) == len(side.answers)  # what was not acknowledged may have counted, too
    score = 0
    for ordinal, own in enumerate(fresh, start=1):
        score += own.points
        if whole and own.score != score:
            yield Fault.WRONG_SCORE, f"a score of {own.score} after {ordinal} answers of {score} points"
        heard = by_question.get(own.question_id)
        if heard is None:
            if not other.cut:
                yield Fault.MISSED, f"the opponent was not told that question {own.question_id} is answered"
        elif (heard.version, heard.score) != (own.version, own.score):
            yield (
                Fault.DISAGREEMENT,
                f"question {own.question_id}: version {own.version} and a score of {own.score} to the one, "
                f"version {heard.version} and {heard.score} to the other",
            )
        elif whole and heard.answered != ordinal:
            fault = Fault.DOUBLED if heard.answered > ordinal else Fault.LOST
            yield fault, f"the opponent was told of {heard.answered} answers after {ordinal}"


def _results(side: Side, other: Side) -> Found:
    if not side.results:
        yield Fault.NEVER_ENDED, "there were no results, though both were done"
        return
    if len(side.results) > 1:
        yield Fault.DOUBLED, f"results were told {len(side.results)} times"
    results = side.results[0]
    for question in results.questions:
        mine, theirs = side.answers.get(question.id), other.answers.get(question.id)
        yield from _kept("own", question.id, question.your_answer, question.your_points, mine)
        yield from _kept("opponent's", question.id, question.opponent_answer, question.opponent_points, theirs)
        for answer in (mine, theirs):
            if answer and answer.own and answer.own.correct_option != question.correct_option:
                yield Fault.DISAGREEMENT, f"question {question.id} has two right options"
    asked = {question.id for question in results.questions}
    if len(asked) < len(results.questions):
        yield Fault.DOUBLED, "a question is twice in the results"
    for question_id, answer in side.answers.items():
        if question_id not in asked and answer.own:
            yield Fault.LOST, f"the acknowledged answer to question {question_id} is not in the results"
    yield from _scores(results)
    yield from _both_ends(results, other)


def _kept(whose: str, question_id: int, option: int | None, points: int, answer: Answered | None) -> Found:
    """What was acknowledged is in the results as it was; what was not acknowledged may be."""
    if answer is None:
        if option is not None or points:
            yield Fault.DISAGREEMENT, f"the results have an {whose} answer to question {question_id} that nobody gave"
    elif option is None:
        if answer.own:
            yield Fault.LOST, f"the {whose} acknowledged answer to question {question_id} is not in the results"
    elif option != answer.option:
        yield Fault.DISAGREEMENT, f"the {whose} answer to question {question_id} is {option}, given was {answer.option}"
    elif answer.own and points != answer.own.points:
        yield (
            Fault.WRONG_SCORE,
            f"the {whose} answer to question {question_id} has {points} points, told were {answer.own.points}",
        )


def _scores(results: QuizResults) -> Found:
    mine, theirs = results.your_score, results.opponent_score
    sums = (sum(one.your_points for one in results.questions), sum(one.opponent_points for one in results.questions))
    if (mine, theirs) != sums:
        yield Fault.WRONG_SCORE, f"results of {mine} to {theirs}, their questions' points are {sums[0]} to {sums[1]}"
    due = "won" if mine > theirs else "lost" if mine < theirs else "draw"
    if results.outcome != due:
        yield Fault.WRONG_SCORE, f"the outcome of {mine} to {theirs} is {results.outcome!s}"
    right = sum(one.your_answer == one.correct_option for one in results.questions)
    if results.your_accuracy.right != right:
        yield Fault.WRONG_SCORE, f"{results.your_accuracy.right} right answers are told, {right} are right"


def _both_ends(results: QuizResults, other: Side) -> Found:
    if not other.results:
        return
    theirs = other.results[0]
    if (results.your_score, results.opponent_score) != (theirs.opponent_score, theirs.your_score):
        yield (
            Fault.DISAGREEMENT,
            f"{results.your_score} to {results.opponent_score} to the one, "
            f"{theirs.opponent_score} to {theirs.your_score} to the other",
        )


def _same_questions(one: Side, other: Side) -> Found:
    if one.started and other.started and one.started.questions != other.started.questions:
        yield Fault.DISAGREEMENT, "the two were asked different questions"
