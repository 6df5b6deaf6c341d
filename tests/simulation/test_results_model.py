"""The model of results and ratings and the real ones: the same statements one after the other, and the same answers."""

from uuid import UUID, uuid5

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from pairquiz_server.engine.rater import Book
from pairquiz_server.rules.commands import CompleteQuiz, PairPlayers, SubmitAnswer
from pairquiz_server.rules.fairness import Worth
from pairquiz_server.rules.opening import pair
from pairquiz_server.rules.rematch import follow
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.ratings import OVERALL
from pairquiz_server.store.rows import Change
from tests.simulation.both import PLAYERS, SPACE, Both, Pick, hold_against, nodes, picks
from tests.simulation.real_store import real_store

LEASES_S = st.sampled_from([0.0, 0.0, 3600.0])


class Raters(Both):
    """Two nodes that rate what is played."""

    @rule(seats=st.permutations(range(3)), answers=st.integers(0, 2), completed=st.integers(0, 3))
    def two_meet_and_play(self, seats: list[int], answers: int, completed: int) -> None:
        """By a search, and to the end, or not quite."""
        first, second = (PLAYERS[seat] for seat in seats[:2])
        command = PairPlayers(
            match_id=str(uuid5(SPACE, str(next(self.made)))),
            players=(first, second),
            origin=Origin.SEARCH,
            topic=self.real.topic,
            question_count=2,
            time_limit_s=5,
            scoring=Scoring(),
            pace=Pace.FREE,
            start_delay_ms=1_000,
            ready_ttl_ms=8_000,
        )
        decision = pair(command, self.now)
        self.batch.append(Change(0, decision.match, decision.events))
        self.play(answers, completed)

    @rule(place=st.integers(0, 5), answers=st.integers(0, 2))
    def two_play_again(self, place: int, answers: int) -> None:
        old = self.known[self.ids[place % len(self.ids)]][-1]
        if len(old.seats) == 2 and old.id not in self.model.followers:
            match_id = str(uuid5(SPACE, str(next(self.made))))
            self.add(None, follow(old, match_id, self.real.topic, start_delay_ms=3_000, ready_ttl_ms=8_000))
            if self.batch:
                self.play(answers, 3)

    def play(self, answers: int, completed: int) -> None:
        """Let the two of the match that was opened last play it; `completed` has a bit for each who is done."""
        match = self.batch[-1].match
        self.extend(self.start(match, match.seats[0].player))
        for number in range(answers):
            seat = match.seats[number % 2]
            question = self.draw[0]
            self.extend(
                SubmitAnswer(
                    match_id=match.id, player_id=seat.player.id, question_id=question.id, answer=question.correct
                )
            )
        for bit, seat in enumerate(match.seats):
            if completed >> bit & 1:
                self.extend(CompleteQuiz(match_id=match.id, player_id=seat.player.id))
        self.batch_is_saved()

    @rule(node=nodes, lease_s=LEASES_S, back_ms=st.sampled_from([0, 5_000, 10**9]), limit=st.sampled_from([1, 100]))
    def node_rates(self, node: UUID, lease_s: float, back_ms: int, limit: int) -> None:
        until = self.ask(lambda real: real.ratings.hold(node, lease_s), lambda: self.results.hold(node, lease_s))
        since = (until or self.now) - back_ms
        found = self.ask(lambda real: real.ratings.find(since, limit), lambda: self.results.find(since, limit))
        places = {(one.id, topic) for one in PLAYERS for topic in (OVERALL, self.real.topic.id)}
        known = self.ask(lambda real: real.ratings.read(places), lambda: self.results.read(places))
        if not found:
            return
        book = Book(dict(known), Worth())
        for match in found:
            book.enter(match)
        batch = {
            "until": found[-1].ended_at,
            "results": book.results,
            "ratings": book.changed,
            "points": book.points(),
        }
        self.ask(
            lambda real: real.ratings.write(node, lease_s, **batch),
            lambda: self.results.write(node, lease_s, **batch),
        )
        self.ask(lambda real: real.ratings.read(places), lambda: self.results.read(places))
        self.ask(lambda real: real.week_points(), lambda: self.results.points)

    @rule(picked=picks)
    def more_changes_are_saved(self, picked: list[Pick]) -> None:
        self.changes_are_saved(picked)


@pytest.mark.parametrize("examples", [20])
def test_model_answers_as_the_results_do(postgres: EmbeddedPostgres, template: str, examples: int) -> None:
    with real_store(postgres, template) as store:
        hold_against(Raters, store, examples)
