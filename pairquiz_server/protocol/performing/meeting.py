"""The commands by which two players come together."""

from pairquiz_server.engine.caller import Work
from pairquiz_server.engine.game import Game
from pairquiz_server.protocol import payloads, reading, views
from pairquiz_server.protocol.events import Blocked, RematchReply, Searching
from pairquiz_server.protocol.performing.playing import joined
from pairquiz_server.protocol.sending import Reply, Sender
from pairquiz_server.rules.decide import Decision


async def find_opponent(game: Game, sender: Sender, payload: payloads.FindOpponent) -> None:
    """Look for somebody."""
    duplicate = await sender.searches.find(
        sender.player,
        topic=reading.topic(payload.topic),
        question_count=payload.question_count,
        time_limit_s=payload.time_limit,
        pace=payload.pace,
        scoring=payload.scoring,
        accept_ghost=bool(payload.accept_ghost),
    )
    sender.reply(Reply(Searching(seeking=True, duplicate=duplicate)))


async def cancel_find_opponent(game: Game, sender: Sender, payload: payloads.CancelFindOpponent) -> None:
    """Look for nobody any more."""
    did_seek = await sender.searches.cancel(sender.player.id)
    sender.reply(Reply(Searching(seeking=False, duplicate=not did_seek)))


async def block_player(game: Game, sender: Sender, payload: payloads.BlockPlayer) -> None:
    """Block the opponent of a session."""
    match = await game.view(sender.player.id, reading.session_id(payload.session_id))
    is_new = await sender.people.block(match, match.seat_of(sender.player.id) or 0)
    sender.reply(Reply(Blocked(match.id, blocked=True, duplicate=not is_new)))


async def unblock_player(game: Game, sender: Sender, payload: payloads.UnblockPlayer) -> None:
    """Take that back."""
    match = await game.view(sender.player.id, reading.session_id(payload.session_id))
    is_new = await sender.people.unblock(match, match.seat_of(sender.player.id) or 0)
    sender.reply(Reply(Blocked(match.id, blocked=False, duplicate=not is_new)))


def request_rematch(game: Game, sender: Sender, payload: payloads.RequestRematch) -> Work:
    """Ask for a rematch."""
    match_id = reading.session_id(payload.session_id)

    def view(decision: Decision, seat: int) -> Reply:
        next_id = None if decision.match.id == match_id else decision.match.id
        return Reply(RematchReply(match_id, next_id is None, next_id, decision.duplicate))

    return game.request_rematch(sender.caller(view), match_id=match_id)


async def create_challenge(game: Game, sender: Sender, payload: payloads.CreateChallenge) -> None:
    """Make a link to a run."""
    challenge = await sender.challenges.create(sender.player, reading.session_id(payload.session_id))
    sender.reply(Reply(views.challenge(challenge)))


def accept_challenge(game: Game, sender: Sender, payload: payloads.AcceptChallenge) -> Work:
    """Play against the run of a link."""
    code = reading.clean("challenge_code", payload.challenge_code)
    assert code is not None
    return sender.challenges.accept(sender.caller(joined), code=code)
