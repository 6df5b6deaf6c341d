"""The model of the store and the real one: the same statements one after the other, and the same answers."""

from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from pairquiz_server.rules.player import Player
from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.simulation.both import CODES, PLAYERS, Both, Pick, hold_against, nodes, picks, players
from tests.simulation.real_store import real_store


class Matches(Both):
    """Matches, presence, and requests for rematches."""

    @rule(
        asking=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([1, 900, 3_000])), min_size=1)
    )
    def players_ask_for_rematches(self, asking: list[tuple[int, int, int]]) -> None:
        for place, seat, later_ms in asking:
            self.now += later_ms
            match = self.known[self.ids[place]][-1]  # of the first two, who have both their players
            request = (match.id, seat, self.now, match.seats[1 - seat].player.id)
            times = {"stands_after": self.now - 1_000, "needs_presence_before": self.now - 2_000}
            self.ask(
                lambda real: real.requests.ask(*request, **times),  # noqa: B023
                lambda: self.requests.ask(*request, **times),  # noqa: B023
            )

    @rule(age_ms=st.sampled_from([0, 500, 2_500, 20_000]))
    def requests_are_looked_at_and_forgotten(self, age_ms: int) -> None:
        requests, now = self.requests, self.now
        for one in self.ids:
            self.ask(lambda real: real.requests.look(one), lambda: requests.look(one))  # noqa: B023
        first, last = now - age_ms - 1_000, now - age_ms
        self.ask(
            lambda real: real.requests.find_agreed(first, last), lambda: requests.find_agreed(first, last), sort=True
        )
        self.ask(lambda real: real.requests.forget(first), lambda: requests.forget(first))

    @rule(picked=picks)
    def more_changes_are_saved(self, picked: list[Pick]) -> None:
        self.changes_are_saved(picked)

    @rule(picked=picks)
    def still_more_changes_are_saved(self, picked: list[Pick]) -> None:
        self.changes_are_saved(picked)

    @rule(
        player=players,
        code=st.sampled_from([*CODES, "NOBODYS0"]),
        request_id=st.sampled_from(["one", "two", "three", None]),
        count_to=st.sampled_from([0, 1, 2, 9]),
        span_ms=st.sampled_from([-20_000, -1_000, 0, 5_000, 30_000]),
    )
    def somebody_looks(self, player: Player, code: str, request_id: str | None, count_to: int, span_ms: int) -> None:
        model, at = self.model, self.now + span_ms
        self.ask(lambda real: real.matches.find_by_code(code, player.id), lambda: model.find_by_code(code, player.id))
        self.ask(
            lambda real: real.matches.find_before_creation(player.id, request_id, count_to),
            lambda: model.find_before_creation(player.id, request_id, count_to),
        )
        everybody = [one.id for one in PLAYERS]
        self.ask(lambda real: real.matches.find_live_of(everybody), lambda: model.find_live_of(everybody))
        seen = self.ask(lambda real: real.seen.find_last(everybody), lambda: model.find_last(everybody))
        assert seen.keys() == set(everybody)
        self.ask(lambda real: real.matches.find_due(at, 100), lambda: model.find_due(at, 100), sort=True)
        self.ask(lambda real: real.matches.next_due(at), lambda: model.next_due(at))
        self.ask(lambda real: real.matches.find_ticks(at, 100), lambda: model.find_ticks(at, 100), sort=True)
        self.ask(lambda real: real.matches.next_tick(at), lambda: model.next_tick(at))

    @rule(age_ms=st.sampled_from([1, 2_000, 15_000]))
    def request_ids_are_forgotten(self, age_ms: int) -> None:
        before = self.now - age_ms
        self.ask(lambda real: real.matches.forget_requests(before), lambda: self.model.forget_requests(before))
        self.look()

    @rule(name=st.sampled_from([" general ", "GENERAL", "Nothing"]))
    def topic_is_found(self, name: str) -> None:
        self.ask(lambda real: real.find_topic(name), lambda: self.model.find_topic(name))

    @rule(node=nodes, came=st.sets(players), went=st.sets(players))
    def players_come_and_go(self, node: UUID, came: set[Player], went: set[Player]) -> None:
        there, gone = {one.id: self.now for one in came - went}, sorted(one.id for one in went)

        def noted() -> list[str]:
            self.model.note(node, there, gone)
            return self.model.find_absent(gone)

        self.ask(lambda real: real.presence.note(node, there, gone), noted, sort=True)

    @rule()
    def presence_is_looked_at(self) -> None:
        everybody = [player.id for player in PLAYERS]
        self.ask(
            lambda real: real.presence.find_absent(everybody), lambda: self.model.find_absent(everybody), sort=True
        )
        self.ask(lambda real: real.presence.find_seats(everybody), lambda: self.model.find_seats(everybody), sort=True)
        self.ask(lambda real: real.presence.find_mistakes(), self.model.find_mistakes, sort=True)
        self.ask(
            lambda real: real.presence.find_returned(self.ids), lambda: self.model.find_returned(self.ids), sort=True
        )


@pytest.mark.parametrize("examples", [30])
def test_model_answers_as_the_store_does(postgres: EmbeddedPostgres, template: str, examples: int) -> None:
    with real_store(postgres, template) as store:
        hold_against(Matches, store, examples)
