"""All that is stored about a person: exported whole, and erased everywhere."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.pairing import Wishes
from pairquiz_server.rules.player import ERASED_ID, ERASED_NAME, Player, PlayerKind
from pairquiz_server.rules.reporting import Report, ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Pace
from pairquiz_server.store import erasures as erasures_module
from pairquiz_server.store import players as players_module
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.ghosts import Runs
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.rematches import RematchRows
from pairquiz_server.store.reports import Reports
from pairquiz_server.store.seekers import Entry, Seekers
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, joined, save_all
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches

PERSON = Player("guest:a person of her own", PlayerKind.GUEST, "Personal Name", label="personal label")
REASON = "a personal reason"
NOTE = "a personal note"
PERSONAL = (PERSON.id, PERSON.display_name, str(PERSON.label), REASON, NOTE, "personal request")

SECTIONS = {
    "players": "player",
    "presence": "presence",
    "seekers": "seekers",
    "encounters": "encounters",
    "blocks": "blocks",
    "bans": "bans",
    "erasures": "erasures",
    "matches": "matches",
    "draws": "questions",
    "answers": "answers",
    "feature_usage": "feature_usage",
    "challenges": "challenges",
    "ratings": "ratings",
    "results": "results",
    "week_points": "week_points",
    "rematches": "rematches",
    "reports": "reports",
}
"""Which tables are about people, and where they are in the export."""
LEFT_OUT = {
    "encounters.opponent_id": "somebody else, who is there by name",
    "blocks.blocked_id": "somebody else, who is there by name",
    "bans.written": "counts transactions, and says nothing of the person",
    "draws.match_id": "the match that it stands in",
    "draws.question_ids": "a question_id in each",
    "draws.option_orders": "an option_order in each",
    "draws.unrecorded": "your_run_unrecorded of the match that it stands in",
    "draws.ghost_run": "what somebody else has answered, as far as results show it",
    "matches.ghost_match_id": "a match of somebody else",
    "matches.ghost_player": "a match of somebody else",
    "answers.match_id": "the match that it stands in",
    "answers.player": "your_seat of the match that it stands in",
    "matches.topic_id": "the topic is there by its name, too",
    "results.match_id": "the match that it stands in",
    "results.player": "your_seat of the match that it stands in",
    "results.opponent_id": "who that is, is the other's",
    "results.ghost_match_id": "a match of somebody else",
    "rematches.match_id": "the match that it stands in",
}
NOBODYS = {
    "topics": "what questions are about",
    "questions": "the bank",
    "server_state": "what the servers share",
    "heartbeat": "the service's clock",
    "nodes": "processes",
    "silent_nodes": "processes",
    "batches": "processes",
    "rating_progress": "how far the service has rated",
    "rank_counts": "how many have how many points",
    "schema_migrations": "the schema's own",
}


@pytest.fixture
def bans(database: Database) -> Bans:
    return Bans(database, b"a secret of the bans")


@pytest.fixture
def players(database: Database) -> Players:
    return Players(database)


@pytest.fixture
def erasures(database: Database) -> Erasures:
    return Erasures(database)


@pytest.fixture
async def lived(database: Database, matches: Matches, board: Board, bans: Bans, erasures: Erasures) -> list[Match]:
    """A person who has done everything that can be done: as creator, as joiner, alone; banned, and about to go."""
    against = [
        await save_all(matches, changes(player=PERSON, board=board, kind=kind, creator=creator))
        for kind, creator in (("completed", True), ("completed", False), ("forsaken", True), ("abandoned", False))
    ]
    alone = board.created(PERSON, request_id="personal request")
    await save_all(matches, [alone])
    await database.fetch(
        "UPDATE pairquiz.matches SET status = 'expired', ended_at = $1 WHERE id = $2", NOW, alone.match.id
    )
    await database.fetch("UPDATE pairquiz.matches SET request_id = 'personal request 2' WHERE id = $1", against[0].id)
    against[0] = replace(against[0], request_id="personal request 2")
    node = uuid4()
    await Nodes(database).enter(node, NOW)
    await PresenceRows(database).note(node, {PERSON.id: NOW, ANNA.id: NOW}, [])
    await sought_and_blocked(database, node)
    await remember(database, against[0])
    times = {"stands_after": NOW, "needs_presence_before": NOW}
    await RematchRows(database).ask(against[0].id, 0, NOW + 33, CARA.id, **times)
    await RematchRows(database).ask(against[1].id, 0, NOW + 44, PERSON.id, **times)
    await bans.ban(PERSON.id, REASON, None)
    assert await Runs(database).challenge("CHALLENGE", Ghost(against[0].id, 0), PERSON.id, now=NOW, expires_at=None)
    report = Report(PERSON.id, against[0].questions[0].id, ReportReason.OTHER, NOTE)
    assert await Reports(database).note(report, NOW)
    await erasures.wish(PERSON.id)
    return [*against, alone.match]


async def sought_and_blocked(database: Database, node: UUID) -> None:
    """Let the person look for somebody, and be blocked by another whom she has blocked and met."""
    topic = await Questions(database).find_topic("General")
    assert topic is not None
    wishes = Wishes(topic.topic().id, 5, 30, Pace.FREE, ScoringProfile.SPEED_BONUS)
    entry = Entry(player=PERSON, ticket=uuid4(), wishes=wishes, accept_ghost=True)
    await Seekers(database).enter(node, NOW, [entry], 0)
    for one, other in ((PERSON.id, CARA.id), (CARA.id, PERSON.id)):
        await Blocks(database).block(one, other, NOW)
        await database.fetch("INSERT INTO pairquiz.encounters VALUES ($1, 1, $2)", one, other)


async def remember(database: Database, match: Match) -> None:
    """What a match has meant for the two: results, ratings, and points of the week."""
    seats = [seat.player.id for seat in match.seats]
    for number, (player_id, opponent_id) in enumerate((seats, seats[::-1]), start=1):
        await database.fetch(
            """INSERT INTO pairquiz.results VALUES ($1, $2, $3, $4, NULL, $5, 'draw', $6, 1, 1, 2, 3, 4, 5, 6)""",
            match.id, number, player_id, opponent_id, match.topic_id, NOW,
        )  # fmt: skip
        await database.fetch("INSERT INTO pairquiz.ratings VALUES ($1, 0, 1500, 90, 0.06, 1, $2)", player_id, NOW)
        await database.fetch("INSERT INTO pairquiz.week_points VALUES (1, 0, $1, 1, 1)", player_id)


def changes(*, player: Player, board: Board, kind: str, creator: bool) -> list[Any]:
    """The changes of a match of the board, with somebody else in the place of one of its two."""
    stand = {(ANNA.id if creator else BEN.id): player, (BEN.id if creator else ANNA.id): CARA}
    return [
        replace(
            change,
            match=replace(
                change.match,
                seats=tuple(replace(seat, player=stand[seat.player.id]) for seat in change.match.seats),
            ),
        )
        for change in getattr(board, f"{kind}_match")()
    ]


async def exported(players: Players, bans: Bans, player_id: str = PERSON.id) -> dict[str, Any]:
    text = b"".join([piece async for piece in players.export(player_id, bans.digest(player_id))])
    found: dict[str, Any] = json.loads(text)
    return found


async def step(erasures: Erasures, player_id: str = PERSON.id) -> int:
    """Take one step of an erasure; 0 where none is left before the last."""
    return await erasures.vacate(player_id) or await erasures.unlink(player_id) or await erasures.unrate(player_id)


async def erase(erasures: Erasures, bans: Bans, player_id: str = PERSON.id) -> bool:
    await erasures.stand_in()
    while await step(erasures, player_id):
        pass
    return await erasures.finish(player_id, bans.digest(player_id), 0)


async def columns(database: Database) -> dict[str, list[str]]:
    """The columns of each of our tables."""
    query = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'pairquiz' ORDER BY 1, 2"
    )
    found: dict[str, list[str]] = {}
    for table, column in await database.fetch(query):
        found.setdefault(table, []).append(column)
    return found


async def tables_with(database: Database, text: str) -> set[str]:
    """The tables that have a text in any of their columns."""
    return {
        table
        for table in await columns(database)
        if await database.fetch(f"SELECT FROM pairquiz.{table} AS t WHERE strpos(t::text, $1) > 0", text)
    }


async def test_every_column_about_a_person_is_in_the_export(
    database: Database, players: Players, bans: Bans, lived: list[Match]
) -> None:
    whole = await exported(players, bans)
    first = next(match for match in whole["matches"] if match["answers"] and match["your_seat"] == 1)
    found = {
        **whole,
        "player": [whole["player"]],
        "matches": [first],
        "questions": first["questions"],
        "answers": first["answers"],
        "results": [match["result"] for match in whole["matches"] if match["result"]],
        "rematches": [{"your_asked_at": first["your_rematch_asked_at"]}],
    }
    missing = []
    for table, names in (await columns(database)).items():
        if table in NOBODYS:
            continue
        assert found[SECTIONS[table]], f"{table}: nothing of it is in the export"
        row = found[SECTIONS[table]][0]
        for name in names:
            own = name.replace("player1_", "your_").replace("player2_", "your_")
            if own not in row and f"{table}.{name}" not in LEFT_OUT:
                missing.append(f"{table}.{name}")
    assert missing == [], "new columns: export them, or say in LEFT_OUT or NOBODYS why they are nobody's"


async def test_every_row_of_a_person_is_in_the_export(
    database: Database, players: Players, bans: Bans, lived: list[Match]
) -> None:
    assert await tables_with(database, PERSON.id) == {
        "players",
        "presence",
        "seekers",
        "encounters",
        "blocks",
        "bans",
        "erasures",
        "matches",
        "feature_usage",
        "challenges",
        "ratings",
        "results",
        "week_points",
        "reports",
    }
    whole = await exported(players, bans)
    assert {match["id"] for match in whole["matches"]} == {match.id for match in lived}
    by_id = {match["id"]: match for match in whole["matches"]}
    for match in lived:
        seat = match.seat_of(PERSON.id)
        assert seat is not None
        own = by_id[match.id]
        assert (own["your_seat"], own["your_score"]) == (seat + 1, match.seats[seat].score)
        assert own["your_rematch_asked_at"] == (NOW + 33 if match is lived[0] else None)
        assert [answer["question_id"] for answer in own["answers"]] == [
            a.question_id for a in match.seats[seat].answers
        ]
        assert [(q["position"], q["question_id"], q["text"], tuple(q["option_order"])) for q in own["questions"]] == [
            (place, q.id, q.text, q.option_order) for place, q in enumerate(match.questions)
        ]
        if len(match.seats) == 2:
            assert (own["opponent_name"], own["opponent_score"]) == (CARA.display_name, match.seats[1 - seat].score)
    usage = await database.fetch("SELECT id FROM pairquiz.feature_usage WHERE player_id = $1", PERSON.id)
    assert {use["id"] for use in whole["feature_usage"]} == {row["id"] for row in usage}


async def test_nothing_of_others_is_in_an_export(players: Players, bans: Bans, lived: list[Match]) -> None:
    text = json.dumps(await exported(players, bans))
    assert CARA.id not in text
    assert ANNA.id not in text
    assert "ghost_match_id" not in text


async def test_an_export_is_the_same_in_small_pages(
    players: Players, bans: Bans, lived: list[Match], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await exported(players, bans)
    monkeypatch.setattr(players_module, "_MATCHES_A_PAGE", 1)
    monkeypatch.setattr(players_module, "_USES_A_PAGE", 2)
    assert await exported(players, bans) == whole


async def test_nothing_is_stored_about_somebody_new(players: Players, bans: Bans) -> None:
    assert await exported(players, bans, "guest:nobody") == {
        "player": None, "presence": [], "seekers": [], "encounters": [], "blocks": [], "bans": [], "erasures": [],
        "matches": [], "feature_usage": [], "challenges": [], "ratings": [], "week_points": [], "reports": [],
    }  # fmt: skip


async def test_an_erased_person_is_nowhere(
    database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    for text in PERSONAL:
        assert await tables_with(database, text), f"{text}: the test has nothing to look for"
    assert await erase(erasures, bans)
    for text in PERSONAL:
        assert await tables_with(database, text) == set()
    assert await database.fetch("SELECT FROM pairquiz.rematches") == []
    assert await database.fetchval("SELECT count(*) FROM pairquiz.bans WHERE digest = $1", bans.digest(PERSON.id)) == 1


async def test_opponents_keep_their_results_without_the_name(
    matches: Matches, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    found = await matches.load([match.id for match in lived])
    against = lived[:-1]
    assert set(found) == {match.id for match in against}
    for before in against:
        after = found[before.id]
        assert [seat.player.id for seat in after.seats].count(CARA.id) == 1
        for seat, was in zip(after.seats, before.seats, strict=True):
            player = was.player if was.player == CARA else Player(ERASED_ID, PlayerKind.ERASED, ERASED_NAME)
            assert seat == replace(was, player=player)
        assert after.request_id is None
        assert (after.status, after.version, after.forfeited_by) == (before.status, before.version, before.forfeited_by)


async def test_a_match_of_two_who_are_erased_is_deleted(
    database: Database, matches: Matches, board: Board, erasures: Erasures, bans: Bans
) -> None:
    await save_all(matches, board.completed_match())
    for player in (ANNA, BEN):
        await erasures.wish(player.id)
        assert await erase(erasures, bans, player.id)
    for table in ("matches", "answers", "draws", "erasures"):
        assert await database.fetchval(f"SELECT count(*) FROM pairquiz.{table}") == 0
    rows = await database.fetch(
        "SELECT p.id, player_id FROM pairquiz.players AS p LEFT JOIN pairquiz.feature_usage ON true"
    )
    assert {(row["id"], row["player_id"]) for row in rows} == {(ERASED_ID, ERASED_ID)}


async def test_an_erasure_goes_on_where_it_was_stopped(
    database: Database, erasures: Erasures, bans: Bans, lived: list[Match], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures_module, "ROWS_AT_ONCE", 1)
    await erasures.stand_in()
    steps = 0
    while await step(erasures):
        steps += 1
        assert not await Erasures(database).finish(PERSON.id, bans.digest(PERSON.id), 0) or steps > len(lived)
    assert steps > len(lived)
    assert await tables_with(database, PERSON.id) == set()


async def test_an_erasure_waits_for_a_match_that_goes_on(
    database: Database, matches: Matches, board: Board, erasures: Erasures, bans: Bans
) -> None:
    running = board.running()
    await save_all(matches, running)
    await erasures.wish(ANNA.id)
    assert not await erase(erasures, bans, ANNA.id)
    match = (await matches.load([running[-1].match.id]))[running[-1].match.id]
    assert match == running[-1].match, "a live match is the committer's"


async def test_an_erasure_is_not_finished_before_every_node_has_heard_of_it(
    erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0), "what comes before it is not done"
    await erasures.stand_in()
    while await step(erasures):
        pass
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 3600)
    assert await erasures.pending() == [PERSON.id]
    assert await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0)
    assert not await erasures.finish(PERSON.id, bans.digest(PERSON.id), 0)


async def test_an_erasure_skips_a_match_that_is_being_written(
    database: Database, other_database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    async with other_database.connection() as connection, connection.transaction():
        await connection.fetch("SELECT FROM pairquiz.matches WHERE id = $1 FOR UPDATE", lived[0].id)
        assert not await erase(erasures, bans)
    assert await erase(erasures, bans)


async def test_an_erasure_waits_for_a_match_that_is_just_being_opened(
    database: Database, other_database: Database, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    topic = lived[0].topic_id
    await erasures.stand_in()
    while await step(erasures):
        pass
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute(
            """
            INSERT INTO pairquiz.matches (id, version, status, topic_id, question_count, time_limit_s, points,
                speed_bonus, join_code, player1_id, created_at, due_at)
            VALUES (gen_random_uuid(), 1, 'waiting', $1, 5, 30, 100, 50, 'JUSTNOW1', $2, 1, 1)
            """,
            topic,
            PERSON.id,
        )
        finishing = asyncio.create_task(erasures.finish(PERSON.id, bans.digest(PERSON.id), 0))
        await until_somebody_waits(database)
    assert not await finishing
    assert not await erase(erasures, bans)
    await database.fetch(
        "UPDATE pairquiz.matches SET status = 'expired', ended_at = 1 WHERE player1_id = $1", PERSON.id
    )
    assert await erase(erasures, bans)


async def test_who_was_erased_may_come_back_as_somebody_new(
    matches: Matches, board: Board, players: Players, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    again = board.created(replace(PERSON, display_name="New Name"), at=NOW + 1)
    await save_all(matches, [again])
    whole = await exported(players, bans)
    assert [match["id"] for match in whole["matches"]] == [again.match.id]
    assert whole["player"]["display_name"] == "New Name"


async def test_a_name_chosen_before_the_first_match_loses_no_label(
    database: Database, matches: Matches, board: Board, players: Players
) -> None:
    stored = await players.change(PERSON, NOW, display_name="Chosen")
    assert stored is not None
    assert (stored.display_name, stored.created_at) == ("Chosen", NOW)
    await save_all(matches, [board.created(PERSON, at=NOW + 1)])
    (row,) = await database.fetch(
        "SELECT display_name, label, created_at FROM pairquiz.players WHERE id = $1", PERSON.id
    )
    assert tuple(row) == ("Chosen", PERSON.label, NOW)


async def test_a_chosen_name_is_what_opponents_load(matches: Matches, board: Board, players: Players) -> None:
    opened = board.created(PERSON)
    match = await save_all(matches, [opened, joined(opened.match)])
    assert await players.change(PERSON, NOW, display_name="Chosen")
    assert (await matches.load([match.id]))[match.id].seats[0].player.display_name == "Chosen"


async def test_nobody_is_named_who_is_about_to_be_erased(players: Players, erasures: Erasures) -> None:
    await erasures.wish(PERSON.id)
    assert await players.change(PERSON, NOW, display_name="Chosen") is None


async def test_the_day_of_a_visit_is_noted_once(database: Database, players: Players) -> None:
    await players.change(PERSON, NOW, display_name="Chosen")
    seen = []
    for hours in (1, 23, 25, 26, 48, 50):
        assert (await players.meet([PERSON.id], NOW + hours * 3_600_000))[PERSON.id].display_name == "Chosen"
        seen.append(await database.fetchval("SELECT seen_at - $1 FROM pairquiz.players WHERE id = $2", NOW, PERSON.id))
    assert [at and at // 3_600_000 for at in seen] == [None, None, 25, 25, 25, 50]
    assert await players.meet(["guest:nobody"], NOW) == {}


async def test_a_visit_waits_for_nobody_who_writes_the_player(database: Database, players: Players) -> None:
    await players.change(PERSON, NOW, display_name="Chosen")
    async with database.connection() as other, other.transaction():
        await other.execute("SELECT 1 FROM pairquiz.players WHERE id = $1 FOR UPDATE", PERSON.id)
        assert PERSON.id in await players.meet([PERSON.id], NOW + 25 * 3_600_000)


async def test_a_player_is_found_by_id_name_and_label(players: Players, bans: Bans, lived: list[Match]) -> None:
    for text in (PERSON.id, PERSON.display_name.upper(), str(PERSON.label)):
        (found,) = await players.find(text, bans.digest(text))
        assert (found.id, found.display_name, found.label, found.banned, found.reason, found.erasing) == (
            PERSON.id, PERSON.display_name, PERSON.label, True, REASON, True
        )  # fmt: skip
    assert await players.find("nobody", bans.digest("nobody")) == []


async def test_a_ban_is_found_by_its_id_though_the_player_is_erased(
    players: Players, erasures: Erasures, bans: Bans, lived: list[Match]
) -> None:
    assert await erase(erasures, bans)
    (found,) = await players.find(PERSON.id, bans.digest(PERSON.id))
    assert (found.id, found.banned, found.reason) == (None, True, None)
    assert await players.find(ERASED_ID, bans.digest(ERASED_ID)) == []


async def test_a_look_finds_what_was_written_since_the_last_one(
    other_database: Database, bans: Bans, erasures: Erasures
) -> None:
    before = (await bans.look(0)).seen
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute("INSERT INTO pairquiz.bans (digest, player_id) VALUES ($1, 'slow')", bytes(32))
        await bans.ban(PERSON.id, None, 3600)
        look = await bans.look(before)
        assert [row.player_id for row in look.bans] == [PERSON.id]
        assert 3_500_000 < (look.bans[0].left_ms or 0) <= 3_600_000
    late = await bans.look(look.seen)
    assert "slow" in {row.player_id for row in late.bans}, "committed last, begun first"
    assert await bans.unban(PERSON.id)
    assert not await bans.unban(PERSON.id)
    await erasures.wish(PERSON.id)
    last = await bans.look(late.seen)
    assert [row.left_ms is not None and row.left_ms <= 0 for row in last.bans if row.player_id == PERSON.id] == [True]
    assert last.erasing == {PERSON.id}
    assert (await bans.look(last.seen)).bans == []


async def test_a_ban_that_is_over_begins_anew(database: Database, bans: Bans) -> None:
    await bans.ban(PERSON.id, REASON, None)
    await bans.ban(PERSON.id, None, 60)
    (row,) = await database.fetch("SELECT reason, until IS NOT NULL AS ends, banned_at FROM pairquiz.bans")
    assert (row["reason"], row["ends"]) == (REASON, True)
    await bans.unban(PERSON.id)
    await bans.ban(PERSON.id, "another", None)
    (again,) = await database.fetch("SELECT reason, until, banned_at FROM pairquiz.bans")
    assert (again["reason"], again["until"]) == ("another", None)
    assert again["banned_at"] > row["banned_at"]
