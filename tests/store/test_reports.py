"""What players say of questions: once a player and question, and counted."""

import asyncio

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.reporting import Report, ReportReason
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.reports import NOTES_MAX, Reports
from tests.store.bank import bank, made
from tests.store.duel import ANNA, BEN, NOW, Board, save_all
from tests.store.locks import until_somebody_waits
from tests.store.numbered import Matches
from tests.store.person import erase


@pytest.fixture
async def reports(database: Database, matches: Matches, board: Board, questions: Questions) -> Reports:
    """Anna and Ben have played, and there are three questions about numbers."""
    await save_all(matches, board.completed_match())
    await questions.add(bank(3, keyed=True))
    return Reports(database)


async def numbers(questions: Questions) -> list[int]:
    found = await questions.find_topic("Numbers")
    assert found is not None
    return sorted(found.question_ids)


async def test_one_report_a_player_and_question_stands_and_the_last_one_does(
    reports: Reports, questions: Questions
) -> None:
    first, second, _ = await numbers(questions)
    unclear = Report(ANNA.id, first, ReportReason.UNCLEAR)
    said = [
        (unclear, True),
        (unclear, False),
        (replace(unclear, note="What?"), True),
        (replace(unclear, note="What?"), False),
        (replace(unclear, reason=ReportReason.OUTDATED), True),
        (replace(unclear, player_id=BEN.id, note="In which base?"), True),
        (replace(unclear, question_id=second, note="And this?"), True),
    ]
    for later, (report, news) in enumerate(said):
        assert await reports.note(report, NOW + later) is news
    top, other = await reports.find(None, 10, edited=False)
    assert (top.id, top.topic, top.reports, top.last_at) == (first, "Numbers", 2, NOW + 5)
    assert (top.reasons, top.notes) == ({"unclear": 1, "outdated": 1}, ["In which base?"])
    assert (other.reports, other.reasons, other.notes) == (1, {"unclear": 1}, ["And this?"])
    assert await reports.find("numbers", 1, edited=False) == [top]
    assert await reports.find("general", 10, edited=False) == []


async def test_the_latest_notes_are_shown_and_no_more(
    reports: Reports, questions: Questions, database: Database
) -> None:
    first, *_ = await numbers(questions)
    await database.write(
        "INSERT INTO pairquiz.players (id, kind, display_name, created_at)"
        " SELECT 'player ' || n, 'user', 'Player', n FROM generate_series(1, 9) AS n"
    )
    for number in range(1, 10):
        reason = ReportReason.OFFENSIVE if number < 4 else ReportReason.WRONG_ANSWER
        assert await reports.note(Report(f"player {number}", first, reason, f"note {number}"), NOW + number)
    (found,) = await reports.find(None, 10, edited=False)
    assert list(found.reasons.items()) == [("wrong_answer", 6), ("offensive", 3)]
    assert found.notes == [f"note {number}" for number in range(9, 9 - NOTES_MAX, -1)]


async def test_an_edit_has_no_reports_yet(reports: Reports, questions: Questions) -> None:
    first, *_ = await numbers(questions)
    await reports.note(Report(ANNA.id, first, ReportReason.WRONG_ANSWER), NOW)
    await questions.add([made(0, text="Which number is zero?", keyed=True)])
    assert await reports.find(None, 10, edited=False) == []
    (found,) = await reports.find(None, 10, edited=True)
    assert (found.id, found.edited, found.text) == (first, True, made(0).text)
    assert found.key == made(0, keyed=True).key


async def test_nobody_reports_who_is_not_there_or_about_to_go(
    reports: Reports, questions: Questions, database: Database
) -> None:
    first, *_ = await numbers(questions)
    assert not await reports.note(Report("nobody", first, ReportReason.OTHER), NOW)
    await Erasures(database).wish(ANNA.id)
    assert not await reports.note(Report(ANNA.id, first, ReportReason.OTHER), NOW)
    assert await reports.find(None, 10, edited=True) == []


async def test_reports_go_with_their_player_and_a_late_one_leaves_nothing(
    reports: Reports, questions: Questions, database: Database, other_database: Database
) -> None:
    first, second, _ = await numbers(questions)
    bans, erasures = Bans(database, b"a secret of the bans"), Erasures(database)
    await reports.note(Report(ANNA.id, first, ReportReason.OTHER, "Anna's"), NOW)
    await reports.note(Report(BEN.id, first, ReportReason.OTHER, "Ben's"), NOW)
    await erasures.wish(ANNA.id)
    assert await erase(erasures, bans, ANNA.id)
    (found,) = await reports.find(None, 10, edited=False)
    assert (found.reports, found.notes) == (1, ["Ben's"])

    async with other_database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM pairquiz.players WHERE id = $1 FOR UPDATE", BEN.id)
        late = asyncio.create_task(reports.note(Report(BEN.id, second, ReportReason.OTHER), NOW))
        await until_somebody_waits(database)
        await connection.execute("DELETE FROM pairquiz.matches")
        await connection.execute("DELETE FROM pairquiz.players WHERE id = $1", BEN.id)
    assert not await late
    assert await reports.find(None, 10, edited=False) == []
