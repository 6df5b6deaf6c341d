"""Ghosts: a player's side of a completed match becomes a run, and a run plays the second seat of another match.

The ghost answers the same questions, in the same order of options, and each answer counts at the time at which it
counted then, by the match's own clock. Whatever else an answer does, it does like a player's. All times are in
milliseconds.
"""

from msgspec.structs import replace

from pairquiz_server.rules import answering
from pairquiz_server.rules.commands import CompleteQuiz, SubmitAnswer
from pairquiz_server.rules.decision import Decision
from pairquiz_server.rules.events import EndReason, Event
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import GHOST_ID, PlayerKind
from pairquiz_server.rules.terms import Pace, Run, Step

GHOST_SEAT = 1
WHOLE = frozenset({EndReason.ALL_ANSWERED, EndReason.DEADLINE})
"""How matches end whose runs are whole: nobody's was cut short because the other went."""


def recorded(match: Match, seat: int) -> Run | None:
    """Return what the player of a seat has done in a match, None where that is no run that could be replayed.

    One has answered something in a match in free pace that was played to its end, and is no ghost.
    """
    side = match.seats[seat]
    played = match.status is Status.COMPLETED and match.end_reason in WHOLE and match.pace is Pace.FREE
    if not played or not side.answers or side.player.kind is PlayerKind.GHOST:
        return None
    steps = [Step(answer.question_id, answer.chosen, _after_ms(match, answer.judged_at)) for answer in side.answers]
    by_saying_so = side.completed_at is not None and len(steps) < match.question_count
    return Run(
        # A slow line's credit may let a later answer count sooner.
        tuple(sorted(steps, key=lambda step: step.after_ms)),
        _after_ms(match, side.completed_at) if by_saying_so and side.completed_at is not None else None,
    )


def next_at(match: Match) -> int | None:
    """Return when the ghost of a running match does something next, None where it does nothing more."""
    run = match.run
    if run is None or match.deadline_at is None or match.status is not Status.IN_PROGRESS:
        return None
    ghost = match.seats[GHOST_SEAT]
    if ghost.completed_at is not None:
        return None
    done = len(ghost.answers)
    after_ms = run.steps[done].after_ms if done < len(run.steps) else run.completed_after_ms
    return None if after_ms is None else match.deadline_at - match.span_ms + after_ms


def tick(match: Match, now: int) -> Decision:
    """Let the ghost do all that it has done by now, each at its own time."""
    events: tuple[Event, ...] = ()
    after = match
    while (at := next_at(after)) is not None and at <= now:
        decision = _act(after, at)
        if not decision.events:
            break
        events += decision.events
        after = decision.match
        after = replace(after, tick_at=next_at(after), ended_at=None if after.ended_at is None else now)
    return Decision(after, events) if events else Decision(match)


def _act(match: Match, at: int) -> Decision:
    """Let the ghost answer, or be done, at `at` by the clock as the last outage has left it."""
    if match.paused_at is not None and match.resumed_at is not None and at < match.resumed_at:
        at -= match.resumed_at - match.paused_at  # it was before the outage, like what came from players then
    assert match.run is not None
    steps, done = match.run.steps, len(match.seats[GHOST_SEAT].answers)
    if done == len(steps):
        return answering.complete(match, CompleteQuiz(match_id=match.id, player_id=GHOST_ID), at)
    step = steps[done]
    answer = SubmitAnswer(match_id=match.id, player_id=GHOST_ID, question_id=step.question_id, answer=step.chosen)
    return answering.submit(match, answer, at)


def _after_ms(match: Match, at: int) -> int:
    """Return how far into a match something was, without the time during which its clock stood still."""
    return max(match.span_ms - match.left_ms(at), 0)
