"""What players have seen is not drawn again: read once, kept in memory, and read anew where others may know more."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from pairquiz_server.engine import seen as engine_seen
from pairquiz_server.engine.seen import Seen
from pairquiz_server.rules.commands import CompleteQuiz
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import GHOST_ID, Player, PlayerKind
from pairquiz_server.rules.question import Question
from pairquiz_server.rules.terms import Ghost, Origin
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.seen import LastAnswers, SeenRows
from tests.engine.stage import ALICE, BOB, CAROL, HandClock, Node, add_topic, answer, running_node

TOPIC, QUESTIONS = "Rivers", 12


class CountedReads:
    """The real rows, and of whom they were read. While `flowing` is clear, nothing is answered."""

    def __init__(self, database: Database) -> None:
        self.rows = SeenRows(database)
        self.of: list[list[str]] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.broken = False

    async def find_last(self, players: Sequence[str]) -> dict[str, LastAnswers]:
        self.of.append(sorted(players))
        await self.flowing.wait()
        if self.broken:
            raise StorageUnavailable("cut")
        return await self.rows.find_last(players)


@pytest.fixture
async def node(database: Database, clock: HandClock) -> AsyncIterator[Node]:
    """A node that knows that it is alone."""
    async with running_node(database, clock) as running:
        running.solitude = 1
        await add_topic(running, TOPIC, QUESTIONS)
        yield running


@pytest.fixture
def reads(node: Node) -> CountedReads:
    counted = CountedReads(node.database)
    node.seen._reading._read = counted.find_last
    return counted


async def play(
    node: Node, first: Player = ALICE, second: Player = BOB, *, count: int = 3, answers: int | None = None
) -> Match:
    """Play a whole match; each answers so many questions, and is done."""
    match = await running(node, first, second, count=count)
    for place in range(count if answers is None else answers):
        await answer_at(node, match, place, first, second)
    if answers is not None:
        for player in (first, second):
            await node.send(CompleteQuiz(match_id=match.id, player_id=player.id))
    ended = await node.stored(match)
    assert ended.status is Status.COMPLETED
    return ended


async def running(node: Node, first: Player = ALICE, second: Player = BOB, *, count: int = 3) -> Match:
    match = (await node.play(node.game.create, first, topic=TOPIC, question_count=count)).match
    await node.play(node.game.join, second, match_id=match.id, join_code=None)
    return (await node.play(node.game.start, first, match_id=match.id)).match


async def answer_at(node: Node, match: Match, place: int, *players: Player) -> None:
    for player in players:
        node.clock.at += 1
        await node.send(answer(match, player, place, 0))


def ids(match: Match) -> list[int]:
    return [question.id for question in match.questions]


async def test_a_series_repeats_nothing_until_all_was_seen_and_then_begins_with_the_oldest(
    node: Node, reads: CountedReads
) -> None:
    played = [ids(await play(node)) for _ in range(2 * QUESTIONS // 3)]
    first, again = played[: QUESTIONS // 3], played[QUESTIONS // 3 :]
    assert len({number for one in first for number in one}) == QUESTIONS
    assert [set(one) for one in again] == [set(one) for one in first]
    assert reads.of == [["alice", "bob"]], "both by one query, and never again"


async def test_what_either_has_seen_elsewhere_counts(node: Node) -> None:
    with_carol = ids(await play(node, ALICE, CAROL, count=6))
    with_bob = ids(await play(node, CAROL, BOB, count=3))
    assert not {*with_carol} & {*with_bob}
    rest = ids(await play(node, BOB, ALICE, count=3))
    assert len({*with_carol, *with_bob, *rest}) == QUESTIONS


async def test_a_match_that_starts_by_itself_repeats_nothing_either(node: Node) -> None:
    before = ids(await play(node, count=5))
    paired = await node.paired(question_count=5, topic=await topic_of(node))
    drawn = (await node.game.by_itself(paired.id)).draw
    assert len(drawn) == 5
    assert not {question.id for question in drawn} & {*before}


async def topic_of(node: Node) -> object:
    found = await node.questions.find_topic(TOPIC)
    assert found is not None
    return found.topic()


async def test_only_what_was_answered_was_seen(node: Node) -> None:
    first = await play(node, count=6, answers=2)
    again = await play(node, count=10)
    assert not {*ids(first)[:2]} & {*ids(again)}
    assert {*ids(first)[2:]} <= {*ids(again)}


async def test_answers_of_a_match_that_still_runs_are_seen(node: Node, reads: CountedReads) -> None:
    await play(node, count=1)
    under_way = await running(node, count=5)
    for place in (0, 1):
        await answer_at(node, under_way, place, ALICE)
    next_one = await running(node, ALICE, CAROL, count=9)
    assert not {*ids(under_way)[:2]} & {*ids(next_one)}
    assert reads.of == [["alice", "bob"], ["carol"]], "the one that runs is in memory"


async def test_what_was_answered_at_another_node_is_seen(node: Node, database: Database, clock: HandClock) -> None:
    await play(node, count=2)
    async with running_node(database, clock) as elsewhere:
        node.solitude = None
        there = ids(await play(elsewhere, count=5))
        here = ids(await play(node, count=5))
        assert not {*there} & {*here}
    node.solitude = 2  # the other one has gone, and what was in memory before it came is of no use
    assert not {*ids(await play(node, count=1))} & {*there, *here[1:]}


async def test_a_match_that_another_node_began_is_not_kept_before_it_is_over(
    node: Node, reads: CountedReads, database: Database, clock: HandClock
) -> None:
    async with running_node(database, clock) as elsewhere:
        await add_topic(elsewhere, TOPIC, QUESTIONS)
        left_over = await running(elsewhere, count=4)
    first = await running(node, ALICE, CAROL, count=2)
    for place in range(4):
        await answer_at(node, left_over, place, ALICE)
    second = await running(node, ALICE, CAROL, count=5)
    assert not {*ids(left_over)} & {*ids(second)}
    assert ["alice"] in reads.of[1:] or ["alice", "carol"] in reads.of[1:], "Alice was read once more"
    assert len(ids(first)) == 2


async def test_nobody_asks_what_a_ghost_has_seen(node: Node, reads: CountedReads) -> None:
    topic = await node.questions.find_topic(TOPIC)
    assert topic is not None
    recorded = await running(node)
    ghost = Player(GHOST_ID, PlayerKind.GHOST, ALICE.display_name)
    reads.of.clear()
    await node.paired(
        origin=Origin.GHOST, players=(CAROL, ghost), ghost=Ghost(recorded.id, 0), topic=topic.topic(), question_count=3
    )
    await asyncio.sleep(0.05)
    assert reads.of == []


async def test_who_starts_while_it_is_read_waits_for_the_same_query(node: Node, reads: CountedReads) -> None:
    reads.flowing.clear()
    match = (await node.play(node.game.create, ALICE, topic=TOPIC, question_count=2)).match
    await node.play(node.game.join, BOB, match_id=match.id, join_code=None)
    starting = asyncio.create_task(node.play(node.game.start, ALICE, match_id=match.id))
    await asyncio.sleep(0)
    reads.flowing.set()
    assert (await starting).match.status is Status.IN_PROGRESS
    assert reads.of == [["alice", "bob"]]


async def test_a_read_that_failed_is_made_again(node: Node, reads: CountedReads) -> None:
    reads.broken = True
    match = (await node.play(node.game.create, ALICE, topic=TOPIC, question_count=2)).match
    await node.play(node.game.join, BOB, match_id=match.id, join_code=None)
    with pytest.raises(Exception, match="database does not answer"):
        await node.play(node.game.start, ALICE, match_id=match.id)
    reads.broken = False
    await node.play(node.game.start, ALICE, match_id=match.id)
    assert reads.of[-1] == ["alice", "bob"]


async def test_a_start_that_crosses_with_a_join_is_not_drawn_for_one(node: Node) -> None:
    seen_by_bob = ids(await play(node, BOB, CAROL, count=6))
    match = (await node.play(node.game.create, ALICE, topic=TOPIC, question_count=6)).match
    async with node.busy():
        joining = asyncio.create_task(node.play(node.game.join, BOB, match_id=match.id, join_code=None))
        await asyncio.sleep(0)
        starting = asyncio.create_task(node.play(node.game.start, ALICE, match_id=match.id))
        while len(node.committer._queue) < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    await joining
    with pytest.raises(Exception, match="just joined"):
        await starting
    started = (await node.play(node.game.start, ALICE, match_id=match.id)).match
    assert not {*seen_by_bob} & {*ids(started)}


async def test_an_edit_of_what_was_seen_was_seen(node: Node) -> None:
    keys = {one.text: one for one in await Questions(node.database).export(TOPIC)}
    played = await play(node, count=5)
    await node.questions.add([edited(keys[question.text]) for question in played.questions])
    node.seen._kept.clear()  # read from the database, and then from memory
    node.game.draws._topics.clear()
    for count in (5, 2):
        again = await play(node, count=count)
        assert not [question.text for question in again.questions if question.text.endswith("(edited)")]


def edited(question: Question) -> Question:
    return replace(question, text=f"{question.text} (edited)")


async def test_players_who_were_away_for_long_make_room(
    node: Node, reads: CountedReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_seen, "KEPT_PLAYERS", 2)
    await play(node, ALICE, BOB, count=1)
    await play(node, ALICE, CAROL, count=1)
    assert list(node.seen._kept) == ["alice", "carol"]
    await play(node, BOB, CAROL, count=1)
    assert reads.of == [["alice", "bob"], ["carol"], ["bob"]]


async def test_memory_holds_the_last_answers_alone(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_seen, "SEEN_ANSWERS", 4)
    first, second = ids(await play(node, count=3)), ids(await play(node, count=3))
    known = node.seen.at_hand(["alice"])
    assert known is not None
    assert [*known] == [first[2], *second]


async def test_of_matches_that_overlap_memory_holds_the_last_answers_too(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_seen, "SEEN_ANSWERS", 4)
    await play(node, count=1)
    long = await running(node, count=4)
    await answer_at(node, long, 0, ALICE, BOB)
    short = ids(await play(node, count=3))
    for place in (1, 2, 3):
        await answer_at(node, long, place, ALICE, BOB)
    known = node.seen.at_hand(["alice"])
    assert known is not None
    assert [*known] == [*dict.fromkeys([short[2], *ids(long)[1:]])]  # the short one may have drawn one of them


def test_a_node_that_is_never_alone_keeps_nothing() -> None:
    async def nothing(players: Sequence[str]) -> dict[str, LastAnswers]:
        return {}

    seen = Seen(nothing, lambda _: None)
    assert asyncio.run(seen.of(["alice"])) == {}
    assert seen.at_hand(["alice"]) is None
    assert not seen._kept
