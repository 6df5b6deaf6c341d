"""Ghosts: a recorded run plays the second seat of a match.

It answers the same questions, in the same order of options, and each answer counts at the time at which it counted
then, by the match's own clock. Whatever else an answer does, it does like a player's.
"""

from msgspec.structs import replace

from pairquiz_server.rules import answering, rounds
from pairquiz_server.rules.commands import CompleteQuiz, SubmitAnswer, Tick
from pairquiz_server.rules.decision import Decision
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import GHOST_ID
from pairquiz_server.rules.runs import next_at, next_step
from pairquiz_server.rules.terms import Pace


def tick(match: Match, command: Tick, now: int) -> Decision:
    """Let happen what happens by itself in a running match: its ghost plays, or its next round is opened."""
    played = play(match, now)
    return played if played.events else rounds.tick(match, command, now)


def play(match: Match, now: int) -> Decision:
    """Let the ghost do all that it has done by now, each at its own time."""
    events: tuple[Event, ...] = ()
    after = match
    while (at := next_at(after)) is not None and at <= now:
        decision = _act(after, at)
        if not decision.events:
            break
        events += decision.events
        after = decision.match
        after = replace(after, ended_at=None if after.ended_at is None else now)
        if after.pace is Pace.FREE or after.closes_at is not None:  # else the next round has its time
            after = replace(after, tick_at=next_at(after))
    return Decision(after, events) if events else Decision(match)


def _act(match: Match, at: int) -> Decision:
    """Let the ghost answer, or be done, at `at` by the clock as the last outage has left it."""
    if match.paused_at is not None and match.resumed_at is not None and at < match.resumed_at:
        at -= match.resumed_at - match.paused_at  # it was before the outage, like what came from players then
    step = next_step(match)
    if step is None:
        return answering.complete(match, CompleteQuiz(match_id=match.id, player_id=GHOST_ID), at)
    answer = SubmitAnswer(match_id=match.id, player_id=GHOST_ID, question_id=step.question_id, answer=step.chosen)
    return answering.submit(match, answer, at)
