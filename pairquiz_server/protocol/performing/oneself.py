"""The commands that concern whoever sends them, and no match."""

from pairquiz_server.engine.game import Game
from pairquiz_server.protocol import payloads, reading, records
from pairquiz_server.protocol.events import ClockSync, Reported
from pairquiz_server.protocol.sending import Reply, Sender


async def report(game: Game, sender: Sender, payload: payloads.ReportQuestion) -> None:
    """Take what a player says of a question."""
    match_id, question_id = reading.session_id(payload.session_id), reading.question_id(payload.question_id)
    stood = await sender.people.reporting.report(
        sender.player,
        match_id=match_id,
        question_id=question_id,
        reason=payload.reason,
        note=reading.note(payload.note),
    )
    sender.reply(Reply(Reported(match_id, question_id, payload.reason, stood)))


async def set_profile(game: Game, sender: Sender, payload: payloads.SetProfile) -> None:
    """Change what a player is called, and whether runs are recorded."""
    profile = await sender.people.set_profile(
        sender.player, display_name=payload.display_name, record_runs=payload.record_runs
    )
    record = await sender.people.memory.record(sender.player.id)
    sender.reply(Reply(records.profile(profile, record)))


async def refresh_token(game: Game, sender: Sender, payload: payloads.RefreshToken) -> None:
    """Let the connection last longer."""
    sender.reply(Reply(await sender.renew(payload.token)))


def sync_clock(game: Game, sender: Sender, payload: payloads.SyncClock) -> None:
    """Tell the time."""
    reply = ClockSync(client_time=payload.client_time, server_time=sender.arrived_at)
    sender.reply(Reply(reply))
