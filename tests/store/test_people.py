"""All that is stored about a person: what she is called, and her whole export."""

import json

import pytest

from pairquiz_server.rules.match import Match
from pairquiz_server.store import players as players_module
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from tests.store.duel import ANNA, CARA, NOW, Board, joined, save_all
from tests.store.numbered import Matches
from tests.store.person import PERSON, REASON, columns, exported, tables_with

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
    "audit": "audit",
}
"""Which tables are about people, and where they are in the export."""
LEFT_OUT = {
    "audit.id": "counts what operators do, and says nothing of the person",
    "audit.actor": "somebody else: the operator",
    "audit.via": "by which way the operator did it",
    "audit.node_id": "a process",
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
    "maintenance": "what all players are told",
    "rating_progress": "how far the service has rated",
    "rank_counts": "how many have how many points",
    "schema_migrations": "the schema's own",
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
        "audit",
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
            "audit": [],
    }  # fmt: skip


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
