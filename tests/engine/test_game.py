"""What players can do, from gathering to what they are told."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.engine import draws
from pairquiz_server.engine import game as game_module
from pairquiz_server.engine.codes import JOIN_CODE_ALPHABET, normal_code
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import MatchCreated, MatchStarted
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions, TopicCount
from tests.callers import Asking
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    PATIENCE_S,
    RULES,
    HandClock,
    Node,
    add_topic,
    code,
    person,
    running_node,
    unreachable_database,
)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


class FewCodes(Random):
    """Chance that gives the same join codes again and again."""

    def __init__(self, *codes: str) -> None:
        super().__init__(1)
        self.codes = list(codes)

    def randbytes(self, n: int) -> bytes:
        return bytes(JOIN_CODE_ALPHABET.index(char) for char in self.codes.pop(0))


async def test_player_creates_a_match_with_the_usual_settings(node: Node) -> None:
    match = await node.waiting(topic="  gENERAL ")
    assert match == await node.stored(match)
    assert (match.status, match.topic, match.question_count, match.time_limit_s) == (Status.WAITING, "General", 5, 30)
    assert match.due_at == node.clock.now() + RULES.waiting_ttl_ms
    assert len(match.join_code) == 8
    assert set(match.join_code) <= set(JOIN_CODE_ALPHABET)


@pytest.mark.parametrize(("topic", "available"), [("Nothing of the kind", 0), ("Tiny", 3)])
async def test_player_creates_with_too_few_questions_and_is_told_how_many_there_are(
    node: Node, topic: str, available: int
) -> None:
    await add_topic(node, "Tiny", 3)
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.create, ALICE, topic=topic, question_count=4)
    assert (refusal.value.code, refusal.value.details) == ("not_enough_questions", {"available": available})
    assert node.told == []


async def test_player_repeats_a_creation_and_finds_the_same_match(node: Node, other_node: Node) -> None:
    match = await node.waiting(request_id="again")
    await node.play(node.game.join, BOB, match_id=match.id, join_code=None)
    for on in (node, other_node):
        again = await on.play(on.game.create, ALICE, topic="Art", request_id="again")
        assert again == Decision(await node.stored(match), duplicate=True)
    another = await node.play(node.game.create, CAROL, topic="General", request_id="again")
    assert another.match.id != match.id  # a request id is a player's own


async def test_player_creates_ten_times_at_once_with_one_request_id_and_opens_one_match(
    node: Node, other_node: Node
) -> None:
    outcomes = await asyncio.gather(
        *(on.play(on.game.create, ALICE, topic="General", request_id="at once") for on in (node, other_node) * 5)
    )
    assert sorted(map(code, outcomes)) == ["accepted"] + ["duplicate"] * 9
    assert len({outcome.match.id for outcome in outcomes}) == 1
    assert [event for on in (node, other_node) for told in on.told for event in told.events] == [MatchCreated(1)]


async def test_player_creates_and_a_taken_join_code_is_drawn_again(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock, random=FewCodes("AAAA1111", "AAAA1111", "AAAA1111", "BBBB2222")) as node:
        assert [(await node.waiting()).join_code for _ in range(2)] == ["AAAA1111", "BBBB2222"]
        assert len(node.told) == 2


async def test_two_players_create_at_once_with_one_join_code_and_both_get_a_match(
    database: Database, clock: HandClock
) -> None:
    async with running_node(database, clock, random=FewCodes("CCCC1111", "CCCC1111", "DDDD2222")) as node:
        matches = await asyncio.gather(node.waiting(), node.waiting())
        assert {match.join_code for match in matches} == {"CCCC1111", "DDDD2222"}


@pytest.mark.parametrize(
    "typed", ["0110ABCZ", "0110abcz", "0110-ABCZ", " 01 10-ab cz ", "OIlo-abcz", "oLi0ABCZ", "--0-1-1-0--ABCZ"]
)
async def test_player_joins_by_code_in_any_spelling(database: Database, clock: HandClock, typed: str) -> None:
    assert normal_code(typed) == "0110ABCZ"
    async with running_node(database, clock, random=FewCodes("0110ABCZ")) as node:
        match = await node.waiting()
        joined = await node.play(node.game.join, BOB, match_id=None, join_code=typed)
        assert (joined.match.id, joined.match.status, joined.match.seats[1].player) == (match.id, Status.READY, BOB)


@pytest.mark.parametrize("typed", ["", "-", "0", "ZZZZZZZZ", "' OR 1=1 --", "ß" * 8, "A" * 10_000])
async def test_player_joins_by_a_code_that_nobody_has(node: Node, typed: str) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code=typed)


async def test_player_joins_with_neither_id_nor_code(node: Node) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code=None)


async def test_no_code_leads_to_the_match_of_two_who_came_together(node: Node) -> None:
    await node.paired()
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code="- -")


async def test_creator_joins_by_the_own_code(node: Node) -> None:
    match = await node.waiting()
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.join, ALICE, match_id=None, join_code=match.join_code)
    assert refusal.value.code == "own_match"


async def test_code_is_void_once_used_and_its_user_finds_the_match_again(node: Node) -> None:
    match = await node.ready()
    again = await node.play(node.game.join, BOB, match_id=None, join_code=match.join_code)
    assert (code(again), again.match) == ("duplicate", match)
    for stranger in (CAROL, ALICE):
        with pytest.raises(Refused) as refusal:
            await node.play(node.game.join, stranger, match_id=None, join_code=match.join_code)
        assert refusal.value.code == "not_found"
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.join, CAROL, match_id=match.id, join_code=None)
    assert refusal.value.code == "session_full"


async def test_ten_players_join_at_once_over_two_nodes_and_one_gets_the_seat(node: Node, other_node: Node) -> None:
    match = await node.waiting()
    outcomes = await asyncio.gather(
        *(
            on.play(on.game.join, person(f"racer {number} {on is node}"), match_id=match.id, join_code=None)
            for number in range(5)
            for on in (node, other_node)
        ),
        return_exceptions=True,
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, Decision)]
    losers = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert ([code(winner) for winner in winners], losers) == (["accepted"], ["session_full"] * 9)
    assert (await node.stored(match)).seats[1].player == winners[0].match.seats[1].player


@pytest.mark.parametrize("count", [1, 40])
async def test_player_starts_and_the_wanted_number_of_different_questions_is_stored_in_order(
    node: Node, other_node: Node, count: int
) -> None:
    match = await node.started(question_count=count)
    assert match.deadline_at == node.clock.now() + count * 30_000
    assert len({question.id for question in match.questions}) == count
    seen = [await on.game.view(player.id, match.id) for on in (node, other_node) for player in (ALICE, BOB)]
    assert seen == [match] * 4


async def test_drawn_options_are_those_of_the_bank_in_another_order_and_the_right_one_stays_right(node: Node) -> None:
    match = await node.started(question_count=40)
    bank = {question.text: question for question in await node.questions.export("General")}
    for question in match.questions:
        stored = bank[question.text]
        assert question.options == tuple(stored.options[place] for place in question.option_order)
        assert question.options[question.correct] == stored.options[stored.correct]
    assert len({question.option_order for question in match.questions}) > 1
    assert {question.correct for question in match.questions} == {0, 1, 2, 3}


async def test_two_starts_draw_differently(node: Node) -> None:
    first, second = await node.started(question_count=10), await node.started(question_count=10)
    assert [question.id for question in first.questions] != [question.id for question in second.questions]


async def test_both_players_start_at_once_over_two_nodes_and_the_match_starts_once(
    node: Node, other_node: Node
) -> None:
    match = await node.ready()
    starts = [on.play(on.game.start, player, match_id=match.id) for on in (node, other_node) for player in (ALICE, BOB)]
    outcomes = await asyncio.gather(*starts)
    assert sorted(map(code, outcomes)) == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert [outcome.match for outcome in outcomes] == [await node.stored(match)] * 4
    events = node.told_of(match.id) + other_node.told_of(match.id)
    assert len([event for event in events if isinstance(event, MatchStarted)]) == 1


async def test_topic_shrinks_before_the_start_and_the_match_stays_ready(
    node: Node, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws, "KEPT_S", -1.0)  # else what was active a moment ago is drawn still
    await add_topic(node, "Shrinking", 5)
    match = await node.ready(topic="Shrinking")
    await database.fetch("UPDATE pairquiz.questions SET retired_at = now() WHERE text = 'Shrinking 3?'")
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.start, BOB, match_id=match.id)
    assert (refusal.value.code, refusal.value.details) == ("not_enough_questions", {"available": 4})
    assert await node.stored(match) == match

    await add_topic(node, "Shrinking", 6)
    assert (await node.play(node.game.start, BOB, match_id=match.id)).match.status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("player", "expected"), [(CAROL, "not_a_player"), (ALICE, "wrong_state")], ids=["a stranger", "the creator"]
)
async def test_waiting_match_is_not_started(node: Node, player: object, expected: str) -> None:
    match = await node.waiting()
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.start, player, match_id=match.id)  # type: ignore[arg-type]
    assert refusal.value.code == expected


async def test_player_plays_to_the_end(node: Node) -> None:
    match = await node.started(question_count=2)
    game = node.game
    for question in match.questions:
        right = question.options[question.correct]
        await node.play(game.submit_answer, ALICE, match_id=match.id, question_id=question.id, answer=right)
    await node.play(game.complete, BOB, match_id=match.id)
    over = await game.view(BOB.id, match.id)
    assert (over.status, over.seats[0].score, over.seats[1].score) == (Status.COMPLETED, 300, 0)
    assert code(await node.play(game.complete, ALICE, match_id=match.id)) == "duplicate"
    with pytest.raises(Refused) as refusal:
        await node.play(game.leave, BOB, match_id=match.id)
    assert refusal.value.code == "wrong_state"


@pytest.mark.parametrize("act", ["start", "complete", "leave"])
async def test_player_names_a_match_that_does_not_exist(node: Node, act: str) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(getattr(node.game, act), ALICE, match_id=str(uuid4()))


async def test_only_players_view_a_match_and_they_see_what_another_node_has_written(
    node: Node, other_node: Node
) -> None:
    match = await node.ready()
    started = (await other_node.play(other_node.game.start, ALICE, match_id=match.id)).match
    assert await node.game.view(BOB.id, match.id) == started
    for player, match_id, expected in ((CAROL, match.id, "not_a_player"), (ALICE, str(uuid4()), "not_found")):
        with pytest.raises(Refused) as refusal:
            await node.game.view(player.id, match_id)
        assert refusal.value.code == expected


async def test_player_finds_all_live_matches_and_no_others_the_oldest_first(node: Node) -> None:
    assert await node.game.live_matches(DAVE.id) == []
    live: list[Match] = []
    for number in range(4):
        node.clock.at += 1
        owner, guest = (DAVE, BOB) if number % 2 else (BOB, DAVE)
        created = await node.play(node.game.create, owner, topic="General")
        live.append((await node.play(node.game.join, guest, match_id=created.match.id, join_code=None)).match)
    await node.play(node.game.leave, BOB, match_id=live.pop(1).id)
    assert await node.game.live_matches(DAVE.id) == live


async def test_very_many_live_matches_are_read_piece_by_piece(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(game_module, "LOADED_AT_ONCE", 2)
    player, other = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")
    ids = [(await node.play(node.game.create, player, topic="General")).match.id for _ in range(5)]
    await node.play(node.game.join, other, match_id=ids[0], join_code=None)
    loads: list[int] = []
    load = node.matches.load

    async def loading(wanted: Sequence[str]) -> dict[str, Match]:
        loads.append(len(wanted))
        return await load(wanted)

    monkeypatch.setattr(node.matches, "load", loading)
    found = await asyncio.gather(*(node.game.live_matches(one.id) for one in (player, other)))
    assert [sorted(match.id for match in matches) for matches in found] == [sorted(ids), ids[:1]]
    assert loads == [2, 2, 1]


async def test_what_one_does_with_a_list_of_matches_is_seen_by_nobody_else(node: Node) -> None:
    player = person(f"erin-{uuid4()}")
    made = (await node.play(node.game.create, player, topic="General")).match
    one, other = await asyncio.gather(*(node.game.live_matches(player.id) for _ in range(2)))
    one.clear()
    assert other == [made]


async def test_topics_are_listed_with_their_counts(node: Node) -> None:
    counts = {topic.name: topic.questions for topic in await node.game.topics()}
    assert counts["General"] == len(await node.questions.export("General"))


async def test_topics_are_counted_once_for_all_who_ask_at_a_time(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    list_topics = Questions.list_topics

    async def looking(questions: Questions) -> list[TopicCount]:
        nonlocal looked
        looked += 1
        return list(await list_topics(questions))

    monkeypatch.setattr(Questions, "list_topics", looking)
    game = Game(node.matches, node.questions, node.committer, node.clock, RULES, seen=node.seen)  # type: ignore[arg-type]
    told = await asyncio.gather(*(game.topics() for _ in range(50)))
    assert (looked, {len(topics) > 10 for topics in told}) == (1, {True})


async def test_a_player_in_many_matches_creates_no_more_until_one_is_over(node: Node) -> None:
    rules = replace(RULES, live_matches_max=2)
    game = Game(node.matches, node.questions, node.committer, node.clock, rules, seen=node.seen)  # type: ignore[arg-type]
    erin, frank = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")

    async def create(player: Player) -> Match:
        return (await node.play(game.create, player, topic="General")).match

    outcomes = await asyncio.gather(*(create(erin) for _ in range(5)), return_exceptions=True)
    made = [one for one in outcomes if isinstance(one, Match)]
    assert [one.code for one in outcomes if isinstance(one, Refused)] == ["too_many_sessions"] * 3
    for match in made:  # a joiner's matches count, too
        await node.play(game.join, frank, match_id=match.id, join_code=None)
    with pytest.raises(Refused, match="too many sessions"):
        await create(frank)
    await node.play(game.leave, frank, match_id=made[0].id)
    assert {(await create(player)).status for player in (erin, frank)} == {Status.WAITING}


async def test_every_act_is_refused_while_the_database_is_away(clock: HandClock) -> None:
    async with unreachable_database() as away, running_node(away, clock) as node:
        game, match_id = node.game, str(uuid4())
        acts = [
            node.play(game.create, ALICE, topic="General"),
            node.play(game.create, ALICE, topic="General", request_id="one"),
            node.play(game.join, ALICE, match_id=match_id, join_code=None),
            node.play(game.join, ALICE, match_id=None, join_code="ABCDEFGH"),
            node.play(game.start, ALICE, match_id=match_id),
            node.play(game.submit_answer, ALICE, match_id=match_id, question_id=1, answer=1),
            node.play(game.complete, ALICE, match_id=match_id),
            node.play(game.leave, ALICE, match_id=match_id),
            game.view(ALICE.id, match_id),
            game.live_matches(ALICE.id),
            game.topics(),
        ]
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert {(outcome.code, outcome.retry) for outcome in outcomes if isinstance(outcome, Refused)} == {
            ("storage_unavailable", True)
        }
        assert len(outcomes) == len([outcome for outcome in outcomes if isinstance(outcome, Refused)])
        assert node.told == []


async def test_what_needs_no_look_into_the_database_is_on_its_way_at_once(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(act: Callable[..., Any]) -> Callable[..., None]:
        def carried_out(caller: Asking, **wishes: object) -> None:
            assert act(caller, **wishes) is None

        return carried_out

    node.solitude = 1  # no other node may know more of what the players have seen
    erin, frank = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")  # who play nothing else
    count = next(topic.questions for topic in await node.game.topics() if topic.name == "General")

    async def duel(of: Callable[..., Any], count: int) -> Match:
        match = (await node.play(of(node.game.create), erin, topic=" GENERAL", question_count=count)).match
        await node.play(of(node.game.join), frank, match_id=match.id, join_code=None)
        return (await node.play(of(node.game.start), erin, match_id=match.id)).match

    await duel(lambda act: act, count)  # now all of them were read
    for _ in range(10):
        started = await duel(at_once, count // 5)
        assert started == await node.stored(started)


async def test_nothing_is_created_while_the_node_drains_though_all_is_at_hand(node: Node) -> None:
    await node.waiting()
    node.game.stop_creating()
    with pytest.raises(Refused, match=r"[Ss]erver"):
        await node.waiting()


async def test_who_has_joined_by_another_node_starts_here(node: Node, other_node: Node) -> None:
    match = await node.waiting()
    await other_node.play(other_node.game.join, BOB, match_id=match.id, join_code=None)
    assert (await node.play(node.game.start, BOB, match_id=match.id)).match.status is Status.IN_PROGRESS


async def test_who_starts_before_the_own_join_is_committed_is_no_player_yet(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = await node.waiting()
    read = asyncio.Event()
    load = node.matches.load

    async def loading(ids: Sequence[str]) -> dict[str, Match]:
        found = await load(ids)
        read.set()
        return found

    monkeypatch.setattr(node.matches, "load", loading)
    node.matches.flowing.clear()
    node.matches.began.clear()
    joining = asyncio.create_task(node.play(node.game.join, BOB, match_id=match.id, join_code=None))
    await node.matches.began.wait()
    starting = asyncio.create_task(node.play(node.game.start, BOB, match_id=match.id))
    await read.wait()
    node.matches.flowing.set()
    with pytest.raises(Refused) as refusal:
        await starting
    assert refusal.value.code == "not_a_player"
    assert (await joining).match.status is Status.READY


async def test_act_returns_although_its_caller_cannot_be_told(node: Node) -> None:
    match = await node.ready()

    def broken(outcome: Decision | Refused) -> None:
        raise RuntimeError("the line of the one who asked is broken")

    async with asyncio.timeout(PATIENCE_S):
        work = node.game.start(Asking(player=BOB, arrived_at=node.clock.now(), tell=broken), match_id=match.id)
        assert work is not None, "no question was read before"
        await work
        assert (await node.play(node.game.start, BOB, match_id=match.id)).duplicate
    assert (await node.stored(match)).status is Status.IN_PROGRESS


async def test_creation_stands_when_its_caller_is_cancelled(node: Node, logs: list[dict[str, Any]]) -> None:
    async with node.busy():
        creating = asyncio.create_task(node.waiting(request_id="cancelled"))
        while not _waits_for(node.committer):
            await node.questions.list_topics()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
    assert code(await node.play(node.game.create, ALICE, topic="General", request_id="cancelled")) == "duplicate"
    assert [line for line in logs if line["log_level"] == "error"] == []


def _waits_for(committer: Committer) -> bool:
    return bool(committer._queue)
