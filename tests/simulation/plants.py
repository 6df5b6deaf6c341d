"""Bugs that are planted in the real code, to see whether the simulation finds them."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from pairquiz_server.engine import matchmaker, rater, sweeper
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.making import Makings
from pairquiz_server.engine.searches import Searches
from pairquiz_server.rules import fairness, pairing, rematch, rounds
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import AnswerAccepted, Event
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import LIVE, Match, Outcome
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.rematches import Noted
from pairquiz_server.store.rows import Change
from tests.simulation.requests import RequestLine
from tests.simulation.results import Results
from tests.simulation.seekers import Queue

Save = Callable[[list[Change]], Any]


def announce_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell players of a batch when it has been decided, and write it then."""

    def eager(committer: Any, save: Save) -> Save:
        async def announce_and_save(changes: list[Change]) -> frozenset[str]:
            for change in changes:
                committer._telling._announce(Decision(change.match, change.events), None)
            return await save(changes)

        return announce_and_save

    _replace_save(monkeypatch, eager)


def retry_what_was_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a batch whose answer was lost once more, on top of whatever is stored by now."""

    def stubborn(committer: Any, save: Save) -> Save:
        writing, matches = committer._writing, committer._matches

        async def write(changes: list[Change]) -> frozenset[str]:
            writing._number += 1
            if writing._number == 1:
                await matches.register(writing._node)
            moved: frozenset[str] = await matches.save(changes, writing._node, writing._number)
            return moved

        async def save_until_answered(changes: list[Change]) -> frozenset[str]:
            while True:
                try:
                    return await write(changes)
                except StorageUnavailable:
                    await asyncio.sleep(0.05)
                    await matches.back()
                try:
                    stored = await matches.load([change.match.id for change in changes])
                except StorageUnavailable:
                    continue
                changes = [_on_top(change, stored.get(change.match.id)) for change in changes]
                changes = [change for change in changes if change.events]

        return save_until_answered

    _replace_save(monkeypatch, stubborn)


def lose_the_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweeper sleep until the next match that it knows of, however many come before."""
    monkeypatch.setattr(sweeper, "LONGEST_SLEEP_MS", 3600_000)
    monkeypatch.setattr(sweeper.Sweeper, "watch", lambda *_: None)


def overdraw_the_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credit each answer as if it were the first."""
    real = LagAllowance.credit

    def generous(allowance: LagAllowance, lag_ms: int, **facts: int) -> int:
        return real(allowance, lag_ms, **(facts | {"spent_ms": 0}))

    monkeypatch.setattr(LagAllowance, "credit", generous)


def take_answers_to_what_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a player answer the next question, or the last one, at any time."""
    monkeypatch.setattr(rounds, "require_open", lambda match, place: None)


def close_rounds_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait in a round for the first answer alone."""
    monkeypatch.setattr(rounds, "waits", lambda match: False)


def let_one_player_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a rematch as soon as one of two asks for it."""
    real = RequestLine.ask

    async def ask(requests: RequestLine, match_id: str, seat: int, now: int, other_id: str, **times: int) -> Noted:
        return Noted((now, now), (await real(requests, match_id, seat, now, other_id, **times)).earlier_at)

    monkeypatch.setattr(RequestLine, "ask", ask)


def count_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a series count defeats."""

    def wins_after(match: Match) -> tuple[int, int]:
        first, second = (match.wins[seat] + (match.outcome(seat) is Outcome.LOST) for seat in (0, 1))
        return first, second

    monkeypatch.setattr(rematch, "wins_after", wins_after)


def make_a_match_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the match of two who were brought together under another id, where nobody has said whether it was made."""
    real = Makings._make
    tried: set[str] = set()

    async def make(self: Any, matches: Iterable[str]) -> None:
        named: list[str] = []
        for match_id in matches:
            command = self._under_way.pop(match_id)
            if match_id in tried:
                command = replace(command, match_id=str(matchmaker.uuid4()))
            tried.add(command.match_id)
            self._under_way[command.match_id] = command
            named.append(command.match_id)
        await real(self, named)

    monkeypatch.setattr(Makings, "_make", make)


def trust_old_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on with a match without a look whether its players were let go since, and let them look on meanwhile."""

    async def keep(_: object) -> None:
        pass

    async def restore(searches: Any) -> None:
        if searches._forgotten:
            await searches._seekers.restore(searches._node, [search.entry for search in searches.all()])
            searches._forgotten.clear()

    monkeypatch.setattr(Makings, "_give_up", keep)
    monkeypatch.setattr(Searches, "_restore", restore)


def keep_who_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let players look on who have gone."""
    monkeypatch.setattr(Searches, "went", lambda *_: None)


def accept_no_more_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody accept a larger difference after a wait."""
    monkeypatch.setattr(pairing, "WIDENS_PER_S", 0.0)


def overlook_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database for no blocks, neither when the queue is read nor when a pair is marked."""
    monkeypatch.setattr(Queue, "_blocked", lambda *_: pairing.NOBODY)
    monkeypatch.setattr(Queue, "_are_apart", lambda *_: False)


def rate_what_we_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a match count whose result a fault of the service has made."""
    monkeypatch.setattr(fairness, "_server_ended_it", lambda _: False)


def overlook_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate what is rated already."""
    monkeypatch.setattr(Results, "_is_done_with", lambda *_: False)


def look_only_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate only what has ended after all that is rated."""
    monkeypatch.setattr(rater, "BACK_MS", 0)
    monkeypatch.setattr(rater, "FAR_BACK_MS", 0)


def _replace_save(monkeypatch: pytest.MonkeyPatch, planted: Callable[[Any, Save], Save]) -> None:
    real = Committer.__init__

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        real(self, *arguments, **more)
        save = planted(self, self._writing.save)

        async def listed(changes: Iterable[Change]) -> frozenset[str]:
            return await save(list(changes))

        self._writing.save = listed

    monkeypatch.setattr(Committer, "__init__", init)


def _on_top(change: Change, stored: Match | None) -> Change:
    """The same answers once more, with the versions that come next; the change itself where nothing has moved.

    It has no events where there are none that could be written again.
    """
    if stored is None or stored.version == change.from_version:
        return change
    version = stored.version
    events: list[Event] = []
    seats = list(stored.seats)
    for event in change.events:
        if isinstance(event, AnswerAccepted) and stored.status in LIVE:
            version += 1
            seat = seats[event.seat]
            answers, score = (*seat.answers, event.answer), seat.score + event.answer.points
            seats[event.seat] = replace(seat, answers=answers, score=score)
            events.append(replace(event, version=version, answered=len(answers), score=score))
    return Change(stored.version, replace(stored, version=version, seats=tuple(seats)), tuple(events))
