"""Recorded runs and challenges in PostgreSQL: whose run is found for whom, and what is stored of a ghost's match."""

import asyncio
from uuid import uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.commands import PairPlayers, StartMatch, Tick, Topic
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import ERASED_ID, ERASED_NAME, GHOST_ID, GHOST_NAME, Player, PlayerKind
from pairquiz_server.rules.runs import BOTH, recorded
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.ghosts import Runs, Wanted
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.retention import RetentionRows
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, answered, completed, joined, left, save_all
from tests.store.duel import _change as change
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches

DAY_MS = 24 * 3600 * 1000
SEEKER = Player("guest:seeker", PlayerKind.GUEST, "Seeker")
DORA, EMIL = (Player(name, PlayerKind.USER, name.title()) for name in ("dora", "emil"))


@pytest.fixture
def runs(database: Database) -> Runs:
    return Runs(database)


async def play(
    matches: Matches, board: Board, first: Player, second: Player, *, at: int = NOW, answers: tuple[int, ...] = (0,)
) -> Match:
    """A match that was played to its end, in which each of `answers`, a seat, has answered once."""
    changes = [board.created(first, at=at)]
    changes.append(joined(changes[-1].match, second, at=at))
    changes.append(board.started(changes[-1].match, at=at))
    for seat in answers:
        changes.append(answered(changes[-1].match, seat, 0, choice=1, at=at + 1_234))
    for seat in (0, 1):
        changes.append(completed(changes[-1].match, seat, at=at + 5_000))
    return await save_all(matches, changes)


def against(match: Match, seat: int = 0, *, player: Player = SEEKER, origin: Origin = Origin.GHOST) -> PairPlayers:
    """What brings a player together with a recorded run."""
    return PairPlayers(
        match_id=str(uuid4()),
        players=(player, Player(GHOST_ID, PlayerKind.GHOST, match.seats[seat].player.display_name)),
        origin=origin,
        topic=Topic(match.topic_id, match.topic, match.question_count),
        question_count=match.question_count,
        time_limit_s=match.time_limit_s,
        scoring=match.scoring,
        pace=match.pace,
        start_delay_ms=3_000,
        ready_ttl_ms=60_000,
        ghost=Ghost(match.id, seat),
    )


async def replay(matches: Matches, match: Match, seat: int = 0, *, at: int = NOW + DAY_MS) -> Match:
    """A running match of the seeker's against a recorded run."""
    pair = change(None, against(match, seat), at)
    start = StartMatch(match_id=pair.match.id, player_id=SEEKER.id, draw=match.questions, run=recorded(match, seat))
    return await save_all(matches, [pair, change(pair.match, start, at)])


def wanted(match: Match, **changed: object) -> Wanted:
    usual = Wanted(
        player=SEEKER,
        topic_id=match.topic_id,
        question_count=match.question_count,
        time_limit_s=match.time_limit_s,
        pace=match.pace,
        scoring=match.scoring.profile,
        rating=1500,
    )
    return replace(usual, **changed)


async def rate(database: Database, player: Player, topic_id: int, rating: float) -> None:
    await database.fetch(
        "INSERT INTO pairquiz.ratings VALUES ($1, $2, $3, 60, 0.06, 10, $4)", player.id, topic_id, rating, NOW
    )


async def found(runs: Runs, wanted: Wanted) -> list[Ghost]:
    return [run.ghost for run in await runs.find(wanted, 9)]


class TestRuns:
    async def test_run_of_either_player_is_found_by_the_same_terms(
        self, matches: Matches, board: Board, runs: Runs
    ) -> None:
        match = await play(matches, board, ANNA, BEN, answers=(0, 1))
        assert await found(runs, wanted(match)) == [Ghost(match.id, 0), Ghost(match.id, 1)]
        for other in (
            {"topic_id": match.topic_id + 1},
            {"question_count": 4},
            {"time_limit_s": 31},
            {"pace": Pace.ROUNDS},
            {"scoring": ScoringProfile.ACCURACY},
        ):
            assert await found(runs, wanted(match, **other)) == []

    async def test_nobody_meets_an_own_run_or_one_without_an_answer(
        self, matches: Matches, board: Board, runs: Runs
    ) -> None:
        match = await play(matches, board, SEEKER, BEN, answers=(0,))
        assert await found(runs, wanted(match)) == []

    async def test_match_that_was_left_has_no_run(self, matches: Matches, board: Board, runs: Runs) -> None:
        changes = board.running()
        changes.append(answered(changes[-1].match, 0, 0))
        changes.append(left(changes[-1].match, 1))
        assert await found(runs, wanted(await save_all(matches, changes))) == []

    async def test_nearest_player_comes_first_and_then_the_newest(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        far = await play(matches, board, ANNA, BEN, at=NOW + 4)
        near = await play(matches, board, CARA, BEN, at=NOW + 1)
        nearer = await play(matches, board, DORA, BEN, at=NOW + 2)
        unrated = await play(matches, board, EMIL, BEN, at=NOW + 3)
        for player, rating in ((ANNA, 2400), (CARA, 1990), (DORA, 1930)):
            await rate(database, player, far.topic_id, rating)
        ghosts = await found(runs, wanted(far, rating=1980))
        assert [ghost.match_id for ghost in ghosts] == [nearer.id, near.id, far.id, unrated.id]

    async def test_ghost_itself_is_no_run_and_a_player_against_one_is(
        self, matches: Matches, board: Board, runs: Runs
    ) -> None:
        original = await play(matches, board, ANNA, BEN)
        running = await replay(matches, original)
        played = answered(running, 0, 1, at=NOW + DAY_MS + 1_000)
        done = completed(played.match, 0, at=NOW + DAY_MS + 2_000)
        tick = change(done.match, Tick(match_id=running.id), NOW + DAY_MS + 9_000)
        over = await save_all(matches, [played, done, tick])
        assert over.status is Status.COMPLETED
        assert await found(runs, wanted(original, player=CARA)) == [Ghost(over.id, 0), Ghost(original.id, 0)]

    async def test_who_may_not_or_will_not_be_recorded_is_not_met(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        bans, erasures = Bans(database, b"secret"), Erasures(database)
        match = await play(matches, board, ANNA, BEN, answers=(0, 1))
        await play(matches, board, CARA, BEN)
        await bans.ban(ANNA.id, None, 3600)
        await erasures.wish(BEN.id)
        await Players(database).change(CARA, NOW + 9_000, record_runs=False)
        assert await found(runs, wanted(match)) == []

        await bans.unban(ANNA.id)
        await Players(database).change(CARA, NOW + 9_000, record_runs=True)
        assert len(await found(runs, wanted(match))) == 2

    async def test_what_was_played_while_its_player_refused_is_never_met(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        players = Players(database)
        before = await play(matches, board, ANNA, BEN, at=NOW)
        await players.change(ANNA, NOW + 10_000, record_runs=False)
        await players.change(ANNA, NOW + 11_000, record_runs=False, display_name="Anna B.")
        await play(matches, board, ANNA, BEN, at=NOW + 9_000)  # is over only afterwards
        as_second = await play(matches, board, BEN, ANNA, at=NOW + 20_000, answers=(0, 1))
        changes = board.running()
        changes.append(answered(changes[-1].match, 0, 0))
        running = await save_all(matches, changes)
        await players.change(ANNA, NOW + 30_000, record_runs=True)
        done = [completed(running, 0, at=NOW + 31_000)]
        done.append(completed(done[-1].match, 1, at=NOW + 32_000))
        over = await save_all(matches, done)
        after = await play(matches, board, ANNA, BEN, at=NOW + 40_000)

        assert await found(runs, wanted(before)) == [
            Ghost(after.id, 0),
            Ghost(as_second.id, 0),  # Ben's
            Ghost(before.id, 0),
        ]
        stored = await matches.load([over.id, as_second.id, before.id])
        assert [recorded(stored[match.id], seat) is None for match, seat in ((over, 0), (as_second, 1))] == [True] * 2
        assert recorded(stored[as_second.id], 0) is not None
        assert recorded(stored[before.id], 0) is not None

    async def test_two_who_allow_it_at_once_after_many_matches_of_theirs_wait_for_each_other_in_one_order(
        self, database: Database, other_database: Database, matches: Matches, board: Board
    ) -> None:
        for player in (ANNA, BEN):
            await Players(database).change(player, NOW - 1_000, record_runs=False)
        played = sorted([(await play(matches, board, ANNA, BEN)).id for _ in range(12)])
        async with other_database.connection() as connection:
            async with connection.transaction():
                lock = "SELECT match_id::text FROM pairquiz.draws WHERE match_id = ANY ($1) FOR UPDATE SKIP LOCKED"
                assert await connection.fetchval(lock, played[:1])
                both = [
                    asyncio.create_task(Players(database).change(player, NOW + 9_000, record_runs=True))
                    for player in (ANNA, BEN)
                ]
                await until_somebody_waits(other_database)
                assert len(await connection.fetch(lock, played[1:])) == len(played) - 1
            await asyncio.gather(*both)
        stored = await matches.load(played)
        assert {recorded(match, seat) for match in stored.values() for seat in (0, 1)} == {None}

    async def test_who_allows_what_is_allowed_changes_nothing(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        match = await play(matches, board, ANNA, BEN)
        await Players(database).change(ANNA, NOW + 9_000, record_runs=True)
        await Players(database).change(ANNA, NOW + 9_000, display_name="Anna B.")
        assert await found(runs, wanted(match)) == [Ghost(match.id, 0)]

    async def test_match_that_was_begun_where_nobody_is_recorded_has_no_runs(
        self, matches: Matches, board: Board, runs: Runs
    ) -> None:
        changes = [board.created(ANNA)]
        changes.append(joined(changes[-1].match, BEN))
        start = StartMatch(match_id=changes[-1].match.id, player_id=ANNA.id, draw=board.draw, unrecorded=BOTH)
        changes.append(change(changes[-1].match, start, NOW))
        for seat in (0, 1):
            changes.append(answered(changes[-1].match, seat, 0, choice=1))
            changes.append(completed(changes[-1].match, seat))
        over = await save_all(matches, changes)
        assert over.status is Status.COMPLETED
        assert await found(runs, wanted(over)) == []
        assert (await matches.load([over.id]))[over.id] == over
        assert [recorded(over, seat) for seat in (0, 1)] == [None, None]

    async def test_who_has_blocked_or_is_blocked_is_not_met(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        match = await play(matches, board, ANNA, BEN, answers=(0, 1))
        await play(matches, board, SEEKER, CARA, answers=())
        await runs.challenge("CODE", Ghost(match.id, 0), ANNA.id, now=NOW, expires_at=None)
        await Blocks(database).block(SEEKER.id, ANNA.id, NOW)
        await Blocks(database).block(BEN.id, SEEKER.id, NOW)
        assert await found(runs, wanted(match)) == []
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None
        await Blocks(database).unblock(SEEKER.id, ANNA.id)
        assert await found(runs, wanted(match)) == [Ghost(match.id, 0)]
        assert await runs.find_challenge("CODE", SEEKER.id, NOW)

    async def test_run_on_questions_that_the_seeker_knows_comes_last(
        self, questions: Questions, matches: Matches, board: Board, runs: Runs
    ) -> None:
        known = await play(matches, board, ANNA, SEEKER, at=NOW + 9)
        assert await found(runs, wanted(known)) == [Ghost(known.id, 0)]
        topic = await questions.find_topic("General")
        assert topic is not None
        others = [number for number in topic.question_ids if number not in {one.id for one in board.draw}][:5]
        draw = tuple(stored.shown((0, 1, 2, 3)) for stored in (await questions.read(others)).values())
        fresh = await play(matches, Board(board.topic, draw), BEN, CARA, at=NOW)
        assert await found(runs, wanted(known)) == [Ghost(fresh.id, 0), Ghost(known.id, 0)]


class TestGhostsMatch:
    async def test_match_is_loaded_as_it_was_saved_with_its_run_and_the_recorded_name(
        self, database: Database, matches: Matches, board: Board
    ) -> None:
        original = await play(matches, board, ANNA, BEN, answers=(0, 1))
        running = await replay(matches, original, 1)
        assert running.run is not None
        assert (await matches.load([running.id]))[running.id] == running
        assert running.seats[1].player == Player(GHOST_ID, PlayerKind.GHOST, "Ben")
        (row,) = await database.fetch("SELECT * FROM pairquiz.players WHERE id = $1", GHOST_ID)
        assert (row["kind"], row["display_name"]) == ("ghost", GHOST_NAME)

    async def test_answer_of_a_ghost_is_stored_with_when_the_next_one_comes(
        self, matches: Matches, board: Board
    ) -> None:
        original = await play(matches, board, ANNA, BEN, answers=(0,))
        running = await replay(matches, original)
        assert running.tick_at == NOW + DAY_MS + 1_234
        after = await save_all(matches, [change(running, Tick(match_id=running.id), running.tick_at)])
        assert after.tick_at == NOW + DAY_MS + 5_000
        assert (await matches.load([running.id]))[running.id] == after

    async def test_ghost_uses_no_feature_and_is_never_mistaken_for_absent(
        self, database: Database, matches: Matches, board: Board
    ) -> None:
        running = await replay(matches, await play(matches, board, ANNA, BEN))
        assert await database.fetch("SELECT FROM pairquiz.feature_usage WHERE player_id = $1", GHOST_ID) == []
        mistakes = await PresenceRows(database).find_mistakes()
        assert [(seat.match_id, seat.player_id) for seat in mistakes] == [(running.id, SEEKER.id)]

    async def test_ghost_of_an_erased_player_goes_on_without_the_name(
        self, database: Database, matches: Matches, board: Board
    ) -> None:
        original = await play(matches, board, ANNA, BEN)
        running = await replay(matches, original)
        await erase(database, ANNA)
        anonymous = (await matches.load([running.id]))[running.id]
        assert anonymous.seats[1].player.display_name == ERASED_NAME
        assert (anonymous.run, anonymous.tick_at) == (running.run, running.tick_at)

        await erase(database, BEN)
        assert await matches.load([original.id]) == {}
        nameless = (await matches.load([running.id]))[running.id]
        assert nameless.seats[1].player.display_name == GHOST_NAME
        assert (nameless.run, nameless.tick_at) == (running.run, running.tick_at)

    async def test_ghost_whose_recorded_match_was_forgotten_plays_on(
        self, database: Database, matches: Matches, board: Board
    ) -> None:
        original = await play(matches, board, ANNA, BEN)
        running = await replay(matches, original)
        assert await RetentionRows(database).forget_matches(NOW + DAY_MS, Status.COMPLETED) == 1
        assert await matches.load([original.id]) == {}
        loaded = (await matches.load([running.id]))[running.id]
        assert (loaded.run, loaded.tick_at, loaded.questions) == (running.run, running.tick_at, running.questions)

    async def test_match_against_a_ghost_is_erased_with_its_only_player(
        self, database: Database, matches: Matches, board: Board
    ) -> None:
        original = await play(matches, board, ANNA, BEN)
        running = await replay(matches, original)
        over = await save_all(matches, [left(running, 0, at=NOW + DAY_MS + 9)])
        await erase(database, SEEKER)
        assert await matches.load([over.id]) == {}
        assert original.id in await matches.load([original.id])


async def erase(database: Database, player: Player) -> None:
    erasures = Erasures(database)
    await erasures.wish(player.id)
    await erasures.stand_in()
    while await erasures.vacate(player.id) or await erasures.unlink(player.id):
        pass
    assert await erasures.finish(player.id, bytes(32), 0)


class TestChallenges:
    async def test_run_has_one_challenge_while_it_holds(self, matches: Matches, board: Board, runs: Runs) -> None:
        run = Ghost((await play(matches, board, ANNA, BEN)).id, 0)
        first = await runs.challenge("FIRST", run, ANNA.id, now=NOW, expires_at=NOW + 100)
        assert first is not None
        assert (first.code, first.expires_at) == ("FIRST", NOW + 100)
        assert await runs.challenge("SECOND", run, ANNA.id, now=NOW + 100, expires_at=NOW + 200) == first
        anew = await runs.challenge("THIRD", run, ANNA.id, now=NOW + 101, expires_at=NOW + 201)
        assert anew is not None
        assert (anew.code, anew.expires_at) == ("THIRD", NOW + 201)

    async def test_challenge_is_found_until_it_expires(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        run = Ghost((await play(matches, board, ANNA, BEN, answers=(1,))).id, 1)
        await runs.challenge("CODE", run, BEN.id, now=NOW, expires_at=NOW + 100)
        challenge = await runs.find_challenge("CODE", SEEKER.id, NOW + 100)
        assert challenge is not None
        assert (challenge.ghost, challenge.player_id, challenge.accepted) == (run, BEN.id, None)
        assert await runs.find_challenge("CODE", SEEKER.id, NOW + 101) is None
        assert await runs.find_challenge("OTHER", SEEKER.id, NOW) is None
        assert await RetentionRows(database).forget_challenges(NOW + 100) == 0
        assert await RetentionRows(database).forget_challenges(NOW + 101) == 1

    async def test_player_accepts_a_challenge_once(self, matches: Matches, board: Board, runs: Runs) -> None:
        match = await play(matches, board, ANNA, BEN)
        await runs.challenge("CODE", Ghost(match.id, 0), ANNA.id, now=NOW, expires_at=None)
        accepted = change(None, against(match, origin=Origin.CHALLENGE), NOW)
        again = change(None, against(match, origin=Origin.CHALLENGE), NOW)
        assert await matches.save([accepted]) == frozenset()
        assert await matches.save([again]) == {again.match.id}
        challenge = await runs.find_challenge("CODE", SEEKER.id, NOW)
        assert challenge is not None
        assert challenge.accepted == accepted.match.id
        other = change(None, against(match, player=CARA, origin=Origin.CHALLENGE), NOW)
        assert await matches.save([other]) == frozenset()

    async def test_challenge_that_was_left_before_its_start_may_be_accepted_again(
        self, matches: Matches, board: Board, runs: Runs
    ) -> None:
        match = await play(matches, board, ANNA, BEN)
        accepted = change(None, against(match, origin=Origin.CHALLENGE), NOW)
        await save_all(matches, [accepted, left(accepted.match, 0)])
        again = change(None, against(match, origin=Origin.CHALLENGE), NOW)
        assert await matches.save([again]) == frozenset()

    async def test_who_refuses_to_be_recorded_takes_challenges_back(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        players = Players(database)
        run = Ghost((await play(matches, board, ANNA, BEN)).id, 0)
        await runs.challenge("CODE", run, ANNA.id, now=NOW, expires_at=None)
        await players.change(ANNA, NOW, display_name="Anna B.")
        assert await runs.find_challenge("CODE", SEEKER.id, NOW)
        stored = await players.change(ANNA, NOW, record_runs=False)
        assert stored is not None
        assert (stored.display_name, stored.record_runs) == ("Anna B.", False)
        assert await runs.challenge("NEXT", run, ANNA.id, now=NOW, expires_at=None) is None
        await players.change(ANNA, NOW, record_runs=True)
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None

    async def test_challenge_that_crosses_with_the_refusal_does_not_come_back_to_life(
        self, matches: Matches, board: Board, runs: Runs, players: Players, database: Database
    ) -> None:
        match = await play(matches, board, ANNA, BEN)
        await players.change(ANNA, NOW, record_runs=False)
        await database.fetch(
            "INSERT INTO pairquiz.challenges (code, match_id, player, player_id, created_at)"
            " VALUES ('CODE', $1, 1, $2, $3)",
            match.id,
            ANNA.id,
            NOW,
        )
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None
        await players.change(ANNA, NOW + 1, record_runs=True)
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None

    async def test_challenge_goes_with_its_player(
        self, database: Database, matches: Matches, board: Board, runs: Runs
    ) -> None:
        bans = Bans(database, b"secret")
        run = Ghost((await play(matches, board, ANNA, BEN)).id, 0)
        await runs.challenge("CODE", run, ANNA.id, now=NOW, expires_at=None)
        await bans.ban(ANNA.id, None, 3600)
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None
        await bans.unban(ANNA.id)
        await Erasures(database).wish(ANNA.id)
        assert await runs.find_challenge("CODE", SEEKER.id, NOW) is None
        await erase(database, ANNA)
        assert await database.fetch("SELECT FROM pairquiz.challenges") == []
        assert (
            await database.fetchval("SELECT player1_id FROM pairquiz.matches WHERE id = $1", run.match_id) == ERASED_ID
        )
