"""A person of whom everything is stored that can be, and what is asked about her."""

import json
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.pairing import Wishes
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.reporting import Report, ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Pace
from pairquiz_server.store.audit import Audit, Deed
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
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, save_all
from tests.store.numbered import Matches

PERSON = Player("guest:a person of her own", PlayerKind.GUEST, "Personal Name", label="personal label")
REASON = "a personal reason"
NOTE = "a personal note"
PERSONAL = (PERSON.id, PERSON.display_name, str(PERSON.label), REASON, NOTE, "personal request")


async def live(database: Database, matches: Matches, board: Board, bans: Bans, erasures: Erasures) -> list[Match]:
    """Let a person do everything that can be done: as creator, as joiner, alone; banned, and about to go."""
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
    await Audit(database).note(Deed(actor="somebody else", via="database"), "player.ban", PERSON.id)
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
