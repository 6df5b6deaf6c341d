"""The model of the seekers' queue and the real one: the same statements one after the other, and the same answers."""

from uuid import UUID, uuid5

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from msgspec.structs import replace

from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.opening import pair
from pairquiz_server.rules.pairing import Seeker, Wishes
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.rating import Rating
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.ratings import Standing
from pairquiz_server.store.rows import Change
from pairquiz_server.store.seekers import FRONT, Entry
from tests.simulation.both import NODES, PLAYERS, SPACE, Both, hold_against, nodes, players
from tests.simulation.real_store import real_store

wishes = st.tuples(st.sampled_from([1, 2, 2]), st.sampled_from(Pace), st.sampled_from(ScoringProfile))
looking = st.lists(st.tuples(players, wishes, st.booleans()), min_size=1, max_size=3, unique_by=lambda one: one[0].id)
Looking = tuple[Player, tuple[int, Pace, ScoringProfile], bool]


class Seekers(Both):
    """Who looks for an opponent, is found, blocks somebody, and goes with a node."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.marked: dict[str, tuple[Seeker, Seeker]] = {}
        self.read: dict[str, Seeker] = {}
        self.written: dict[UUID, list[Entry]] = {}
        self.somebody_is_rated(PLAYERS[0], 0, 1700.0)

    @rule(node=nodes, who=looking, live_max=st.sampled_from([0, 0, 1, 2]))
    def some_begin_to_look(self, node: UUID, who: list[Looking], live_max: int) -> None:
        entries = [self.entry(*one) for one in who]
        self.written[node] = entries
        self.ask(
            lambda real: real.seekers.enter(node, self.now, entries, live_max),
            lambda: self.queue.enter(node, self.now, entries, live_max),
        )
        self.queue_is_read()

    @rule(node=nodes, who=looking)
    def more_begin_to_look(self, node: UUID, who: list[Looking]) -> None:
        self.some_begin_to_look(node, who, 0)

    @rule(node=nodes, who=st.lists(players, max_size=2), all_of_them=st.integers(0, 5))
    def some_go(self, node: UUID, who: list[Player], all_of_them: int) -> None:
        ids = [player.id for player in who]
        if all_of_them == 0:
            self.ask(lambda real: real.seekers.leave_all(node), lambda: self.queue.leave_all(node))
        else:
            self.ask(lambda real: real.seekers.leave(node, ids), lambda: self.queue.leave(node, ids))
        self.queue_is_read()

    @rule(player=players)
    def somebody_cancels(self, player: Player) -> None:
        self.ask(lambda real: real.seekers.cancel(player.id), lambda: self.queue.cancel(player.id))

    @rule(node=nodes)
    def node_writes_its_entries_anew(self, node: UUID) -> None:
        entries = [
            replace(entry, rating=1500.0, deviation=90.0, since=self.now) for entry in self.written.get(node, [])
        ]
        self.ask(lambda real: real.seekers.restore(node, entries), lambda: self.queue.restore(node, entries))
        self.queue_is_read()

    @rule(place=st.integers(0, 2), stale=st.booleans(), made=st.sampled_from([True, True, False]))
    def two_are_brought_together(self, place: int, stale: bool, made: bool) -> None:
        """Or not, because one of them was another entry when the queue was read."""
        if not stale:
            self.queue_is_read()
        seekers = list(self.read.values())
        if len(seekers) < 2:
            return
        two = (seekers[place % len(seekers)], seekers[(place + 1) % len(seekers)])
        match_id = str(uuid5(SPACE, str(next(self.made))))
        marked = self.ask(
            lambda real: real.seekers.mark({match_id: two}, self.now),
            lambda: self.queue.mark({match_id: two}, self.now),
        )
        if marked:
            self.marked[match_id] = two
            if made:
                self.match_is_made(match_id, *marked[match_id].values())
        self.queue_is_read()

    @rule(place=st.integers(0, 2))
    def somebody_is_taken_alone(self, place: int) -> None:
        seekers = list(self.read.values())
        if seekers:
            one, match_id = seekers[place % len(seekers)], str(uuid5(SPACE, str(next(self.made))))
            self.ask(
                lambda real: real.seekers.claim(one.player_id, one.ticket, match_id, self.now),
                lambda: self.queue.claim(one.player_id, one.ticket, match_id, self.now),
            )
            self.marked[match_id] = (one, one)

    @rule(
        places=st.sets(st.integers(0, 3), min_size=1),
        released=st.booleans(),
        node=nodes,
        who=st.lists(players, max_size=4),
    )
    def pairs_are_done_with(self, places: set[int], released: bool, node: UUID, who: list[Player]) -> None:
        known = list(self.marked)
        matches = [known[place] for place in sorted(places) if place < len(known)]
        if released:
            looking = [player.id for player in who]
            self.ask(
                lambda real: real.seekers.release(matches, node, looking),
                lambda: self.queue.release(matches, node, looking),
            )
        else:
            self.ask(lambda real: real.seekers.finish(matches), lambda: self.queue.finish(matches))
            for match_id in matches:
                del self.marked[match_id]
        self.queue_is_read()

    @rule(age_ms=st.sampled_from([-1, 1, 3_000]))
    def nodes_look_at_their_own(self, age_ms: int) -> None:
        for node in NODES:
            self.ask(lambda real: real.seekers.look(node), lambda: self.queue.look(node))  # noqa: B023
            self.ask(
                lambda real: real.seekers.find_unfinished(node, self.now - age_ms),  # noqa: B023
                lambda: self.queue.find_unfinished(node, self.now - age_ms),  # noqa: B023
            )

    @rule(one=players, other=players)
    def somebody_blocks_somebody(self, one: Player, other: Player) -> None:
        if one is not other:
            self.ask(
                lambda real: real.blocks.block(one.id, other.id, self.now), lambda: self.queue.block(one.id, other.id)
            )
            self.queue_is_read()

    @rule(player=players, topic=st.sampled_from([0, 1]), rating=st.sampled_from([1200.0, 1512.5, 1900.0]))
    def somebody_is_rated(self, player: Player, topic: int, rating: float) -> None:
        place = (player.id, topic and self.real.topic.id)
        if place not in self.results.ratings:
            self.real.rate(*place, rating, 80.0)
            self.results.ratings[place] = Standing(Rating(rating, 80.0), 1, 1)

    def queue_is_read(self) -> None:
        """Read it from its front, and from behind each of those who stand in it, a few and all."""
        whole = self.ask(lambda real: real.seekers.read_queue(FRONT, 100), lambda: self.queue.read_queue(FRONT, 100))
        for queued in whole:
            place = queued.place
            self.ask(
                lambda real: real.seekers.read_queue(place, 1),  # noqa: B023
                lambda: self.queue.read_queue(place, 1),  # noqa: B023
            )
        self.read |= {queued.seeker.player_id: queued.seeker for queued in whole}

    def entry(self, player: Player, wish: tuple[int, Pace, ScoringProfile], accept_ghost: bool) -> Entry:
        count, pace, scoring = wish
        agreed = Wishes(self.real.topic.id, count, 5, pace, scoring)
        return Entry(player=player, ticket=UUID(int=next(self.made)), wishes=agreed, accept_ghost=accept_ghost)

    def match_is_made(self, match_id: str, first: Player, second: Player) -> None:
        command = PairPlayers(
            match_id=match_id,
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
        self.batch_is_saved()


@pytest.mark.parametrize("examples", [20])
def test_model_answers_as_the_queue_does(postgres: EmbeddedPostgres, template: str, examples: int) -> None:
    with real_store(postgres, template) as store:
        hold_against(Seekers, store, examples)
