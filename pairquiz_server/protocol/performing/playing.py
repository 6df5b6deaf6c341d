"""The commands of a match: from its creation to its end."""

from pairquiz_server.engine.caller import Work
from pairquiz_server.engine.game import Game
from pairquiz_server.protocol import payloads, reading, views
from pairquiz_server.protocol.events import Completed, Left, Sessions
from pairquiz_server.protocol.sending import Events, Reply, Sender
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import PlayerKind


def create(game: Game, sender: Sender, payload: payloads.CreatePairQuiz) -> Work:
    """Create a match."""

    def view(decision: Decision, seat: int) -> Reply:
        created = views.quiz_created(decision.match, duplicate=decision.duplicate)
        return Reply(created, "quiz_created" if decision.duplicate else None)

    return game.create(
        sender.caller(view, label=_label(sender, payload.user_id)),
        topic=reading.topic(payload.topic),
        question_count=payload.question_count,
        time_limit_s=payload.time_limit,
        pace=payload.pace,
        scoring=payload.scoring,
        request_id=reading.clean("request_id", payload.request_id),
    )


def join(game: Game, sender: Sender, payload: payloads.JoinPairQuiz) -> Work:
    """Take the second seat of a match."""
    label = _label(sender, payload.user_id)
    if payload.session_id is None and payload.join_code is None:
        raise Refused(Code.INVALID_PAYLOAD, "session_id: is missing (or send a join_code)")
    return game.join(
        sender.caller(joined, label=label),
        match_id=None if payload.session_id is None else reading.session_id(payload.session_id),
        join_code=reading.clean("join_code", payload.join_code),
    )


def joined(decision: Decision, seat: int) -> Reply:
    """Answer who has taken a seat: with the event that both hear, which a duplicate is none of."""
    told = views.opponent_joined(decision.match, seat, duplicate=decision.duplicate)
    return Reply(told, "opponent_joined" if decision.duplicate else None)


def start(game: Game, sender: Sender, payload: payloads.StartQuiz) -> Work:
    """Start a match."""

    def view(decision: Decision, seat: int) -> Reply:
        started = views.quiz_started(decision.match, duplicate=decision.duplicate)
        return Reply(started, "quiz_started" if decision.duplicate else None)

    return game.start(sender.caller(view), match_id=reading.session_id(payload.session_id))


def submit_answer(game: Game, sender: Sender, payload: payloads.SubmitAnswer) -> None:
    """Answer a question."""
    question_id = payload.question_id
    if type(question_id) is not int:
        question_id = reading.question_id(question_id)

    def view(decision: Decision, seat: int) -> Reply:
        answer = decision.match.seats[seat].answer_to(question_id)
        assert answer is not None  # it was just locked, or stood before
        version = decision.events[0].version if decision.events else decision.match.version
        own = views.own_answer(decision.match, seat, answer, version=version, duplicate=decision.duplicate)
        return Reply(own, "answer_submitted")

    match_id = payload.session_id
    game.submit_answer(
        sender.caller(view),
        match_id=match_id if game.knows(match_id) else reading.session_id(match_id),
        question_id=question_id,
        answer=payload.answer,
        lag_ms=sender.lag_ms(),
    )


def complete(game: Game, sender: Sender, payload: payloads.QuizCompleted) -> None:
    """Be done."""

    def view(decision: Decision, seat: int) -> Reply:
        match = decision.match
        completed = Completed(
            match.id, match.seats[seat].score, match.version, decision.duplicate, match.ghost is not None
        )
        return Reply(completed, events=lambda: _state(game, decision, seat))

    game.complete(sender.caller(view), match_id=reading.session_id(payload.session_id))


def leave(game: Game, sender: Sender, payload: payloads.LeavePairQuiz) -> None:
    """Give up."""

    def view(decision: Decision, seat: int) -> Reply:
        match = decision.match
        left = Left(match.id, match.status, match.version, decision.duplicate, match.ghost is not None)
        return Reply(left, events=lambda: _state(game, decision, seat))

    game.leave(sender.caller(view), match_id=reading.session_id(payload.session_id))


async def resume(game: Game, sender: Sender, payload: payloads.ResumePairQuiz) -> None:
    """Show a match, or name all that are live."""
    player_id = sender.player.id
    if payload.session_id is not None:
        match = await game.view(player_id, reading.session_id(payload.session_id))
        seat = match.seat_of(player_id) or 0
        state = views.quiz_state(match, seat, game.now(), await game.rematches.prospect(match, seat))
        sender.reply(Reply(state, "quiz_state"))
        return
    now = game.now()
    seats = [(match, match.seat_of(player_id) or 0) for match in await game.live_matches(player_id)]

    def states() -> Events:
        return tuple([("quiz_state", views.quiz_state(match, seat, now)) for match, seat in seats])

    sender.reply(Reply(Sessions([views.session(match, seat) for match, seat in seats]), events=states))


def _label(sender: Sender, claimed: payloads.ClaimedUser) -> str | None:
    """Hold what a payload claims of its sender against who it is. Raises `Refused` (`forbidden`)."""
    if sender.player.kind is PlayerKind.GUEST:
        return reading.label(claimed)
    if claimed is not None and str(claimed) != sender.player.id:
        raise Refused(Code.FORBIDDEN)
    return None


def _state(game: Game, decision: Decision, seat: int) -> Events:
    """Make the `quiz_state` that answers a command without an event of its own: the match as just committed."""
    return (("quiz_state", views.quiz_state(decision.match, seat, game.now())),)
