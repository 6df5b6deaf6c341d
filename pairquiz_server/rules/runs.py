"""Recorded runs: what one player did in a match that was played to its end, and when a ghost does the same again.

All times are in milliseconds, by the match's own clock, or in rounds by each round's: when the line is taken off, and
the time during which the clock stood still.
"""

from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.terms import Pace, Run, Step

GHOST_SEAT = 1
BOTH = 0b11
"""The bits of both seats."""
WHOLE = frozenset({EndReason.ALL_ANSWERED, EndReason.DEADLINE})
"""How matches end whose runs are whole: nobody's was cut short because the other went."""


def recorded(match: Match, seat: int) -> Run | None:
    """Return what the player of a seat has done in a match, None where that is no run that could be replayed.

    One has answered something, in a match that was played to its end, is no ghost, and may be recorded.
    """
    side = match.seats[seat]
    played = match.status is Status.COMPLETED and match.end_reason in WHOLE
    if not played or not side.answers or side.player.kind is PlayerKind.GHOST or is_unrecorded(match, seat):
        return None
    return _of_rounds(match, seat) if match.pace is Pace.ROUNDS else _of_free_pace(match, seat)


def is_unrecorded(match: Match, seat: int) -> bool:
    """Tell whether what the player of a seat has done is replayed to nobody, because that was refused meanwhile."""
    return bool(match.unrecorded >> seat & 1)


def next_at(match: Match) -> int | None:
    """Return when the ghost of a running match does something next, None where it does nothing more (in this round)."""
    run = match.run
    if run is None or match.status is not Status.IN_PROGRESS or match.seats[GHOST_SEAT].completed_at is not None:
        return None
    after_ms = _next_in_round(match, run) if match.pace is Pace.ROUNDS else _next(match, run)
    until = match.deadline_at if match.closes_at is None else match.closes_at
    return None if after_ms is None or until is None else until - match.span_ms + after_ms


def next_step(match: Match) -> Step | None:
    """Return the answer that the ghost of a running match gives next, None where it gives none any more."""
    assert match.run is not None
    if match.pace is Pace.ROUNDS:
        return _step_of_round(match, match.run)
    steps, done = match.run.steps, len(match.seats[GHOST_SEAT].answers)
    return steps[done] if done < len(steps) else None


def _next(match: Match, run: Run) -> int | None:
    step = next_step(match)
    return run.completed_after_ms if step is None else step.after_ms


def _next_in_round(match: Match, run: Run) -> int | None:
    step = None if match.closes_at is None else _step_of_round(match, run)
    return None if step is None else step.after_ms


def _step_of_round(match: Match, run: Run) -> Step | None:
    place = len(match.reveals) - 1
    if match.seats[GHOST_SEAT].answered >> place & 1:
        return None
    question_id = match.questions[place].id
    return next((step for step in run.steps if step.question_id == question_id), None)


def _of_free_pace(match: Match, seat: int) -> Run | None:
    """Return a run in free pace. None where more than one outage has moved it: of the others nobody knows when."""
    side = match.seats[seat]
    assert match.started_at is not None
    assert match.deadline_at is not None
    moved_ms = match.deadline_at - match.started_at - match.span_ms
    if moved_ms != (match.resumed_at or 0) - (match.paused_at or 0):
        return None
    steps = [Step(answer.question_id, answer.chosen, _after_ms(match, answer.judged_at)) for answer in side.answers]
    by_saying_so = side.completed_at is not None and len(steps) < match.question_count
    return Run(
        # A slow line's credit may let a later answer count sooner.
        tuple(sorted(steps, key=lambda step: step.after_ms)),
        _after_ms(match, side.completed_at) if by_saying_so and side.completed_at is not None else None,
    )


def _of_rounds(match: Match, seat: int) -> Run | None:
    """Return a run in rounds, each answer counted from its round's reveal.

    None where the player was done before the last round, or the clock stood still within one: which, nobody knows.
    """
    side = match.seats[seat]
    final = match.questions[-1].id
    done_sooner = side.completed_at is not None and side.answer_to(final) is None
    if done_sooner or match.resumed_at is not None or len(match.reveals) < match.question_count:
        return None
    asked_at = {question.id: at for question, at in zip(match.questions, match.reveals, strict=True)}
    return Run(
        tuple(
            Step(answer.question_id, answer.chosen, max(answer.judged_at - asked_at[answer.question_id], 0))
            for answer in side.answers
        )
    )


def _after_ms(match: Match, at: int) -> int:
    """Return how far into a match something was, without the time during which its clock stood still."""
    return max(match.span_ms - match.left_ms(at), 0)
