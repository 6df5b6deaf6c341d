"""A row for each command: its payload, and what is done with it. A new command is a new row.

Every row's function gets the game, the sender and the payload, and replies once: before it returns, or when what it
has submitted is settled.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pairquiz_server.engine.caller import Caller, Work
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.people import People
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.submission import Outcome
from pairquiz_server.protocol import payloads, views
from pairquiz_server.protocol.events import (
    Blocked,
    ClockSync,
    Completed,
    Left,
    RematchReply,
    Reported,
    Searching,
    Sessions,
    TokenRefreshed,
)
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player, PlayerKind

Events = tuple[tuple[str, Struct], ...]
"""Names and payloads, in the order in which they are sent."""


class Reply(Struct, frozen=True):
    """The one answer to a command that succeeded.

    `acknowledgement` goes where one was asked for; else it goes to the sender as the event `name`, or what `events`
    makes does.
    """

    acknowledgement: Struct
    name: str | None = None
    events: Callable[[], Events] = tuple

    def told(self) -> Events:
        """Return what goes to a sender who has asked for no acknowledgement."""
        return ((self.name, self.acknowledgement),) if self.name else self.events()


class Sender(Caller, kw_only=True, eq=False):
    """Who sent one command, and how its answer finds the way back: `reply` is called exactly once.

    `people` knows what the sender may ask about itself, `searches` who looks for an opponent, `challenges` the links to
    recorded runs; `request` names the
    command in the log. `overheard` hears of the answer before the sender does; `view` makes it of a decision and a
    seat.
    """

    people: People
    challenges: Challenges
    searches: Searches
    overheard: Callable[[Reply | Refused], None] | None = None
    view: Callable[[Decision, int], Reply] | None = None

    def reply(self, outcome: Reply | Refused) -> None:
        """Answer the command."""
        if self.overheard is not None:
            self.overheard(outcome)
        self.send(outcome)

    def send(self, outcome: Reply | Refused) -> None:
        """Bring the answer on its way."""
        raise NotImplementedError

    def lag_ms(self) -> int:
        """Return what was measured of the line that the command came by; nothing is credited where nobody measures."""
        return 0

    async def renew(self, token: str) -> TokenRefreshed:
        """Let the connection last as long as its player's next token. Raises `Refused`."""
        raise Refused(Code.WRONG_STATE, "There is no connection whose token could be followed by another")

    def caller(self, view: Callable[[Decision, int], Reply], *, label: str | None = None) -> Caller:
        """Return the sender as the engine knows it; it is answered by `view` when its command is settled."""
        self.view = view
        if label is not None:
            self.player = Player(self.player.id, self.player.kind, self.player.display_name, label)
        return self

    def settle(self, outcome: Outcome) -> None:
        """Answer with what became of the command."""
        if not isinstance(outcome, Decision):
            assert isinstance(outcome, Refused)  # the game itself sees to a creation that collides
            self.reply(outcome)
            return
        seat = outcome.match.seat_of(self.player.id)
        assert seat is not None  # who is no player is refused
        assert self.view is not None
        try:
            reply = self.view(outcome, seat)
        except Exception:
            self.reply(Refused(Code.INTERNAL))  # the command stands, and its repeat is a duplicate
            raise
        self.reply(reply)


Perform = Callable[[Game, Sender, Any], Work]


class CommandRow(Struct, frozen=True):
    """How a command is read, and what is done with it.

    What `perform` returns has to be awaited; None where the command is on its way. One that is `immediate` waits for
    none of its connection's commands before, and lets none behind it wait.
    """

    payload: type[Struct]
    perform: Perform
    immediate: bool = False


def _label(sender: Sender, claimed: payloads.ClaimedUser) -> str | None:
    """Hold what a payload claims of its sender against who it is. Raises `Refused` (`forbidden`)."""
    if sender.player.kind is PlayerKind.GUEST:
        return payloads.label(claimed)
    if claimed is not None and str(claimed) != sender.player.id:
        raise Refused(Code.FORBIDDEN)
    return None


def _create(game: Game, sender: Sender, payload: payloads.CreatePairQuiz) -> Work:
    def view(decision: Decision, seat: int) -> Reply:
        created = views.quiz_created(decision.match, duplicate=decision.duplicate)
        return Reply(created, "quiz_created" if decision.duplicate else None)

    return game.create(
        sender.caller(view, label=_label(sender, payload.user_id)),
        topic=payloads.topic(payload.topic),
        question_count=payload.question_count,
        time_limit_s=payload.time_limit,
        pace=payload.pace,
        scoring=payload.scoring,
        request_id=payloads.clean("request_id", payload.request_id),
    )


def _joined(decision: Decision, seat: int) -> Reply:
    """Answer who has taken a seat: with the event that both hear, which a duplicate is none of."""
    joined = views.opponent_joined(decision.match, seat, duplicate=decision.duplicate)
    return Reply(joined, "opponent_joined" if decision.duplicate else None)


def _join(game: Game, sender: Sender, payload: payloads.JoinPairQuiz) -> Work:
    label = _label(sender, payload.user_id)
    if payload.session_id is None and payload.join_code is None:
        raise Refused(Code.INVALID_PAYLOAD, "session_id: is missing (or send a join_code)")
    return game.join(
        sender.caller(_joined, label=label),
        match_id=None if payload.session_id is None else payloads.session_id(payload.session_id),
        join_code=payloads.clean("join_code", payload.join_code),
    )


def _start(game: Game, sender: Sender, payload: payloads.StartQuiz) -> Work:
    def view(decision: Decision, seat: int) -> Reply:
        started = views.quiz_started(decision.match, duplicate=decision.duplicate)
        return Reply(started, "quiz_started" if decision.duplicate else None)

    return game.start(sender.caller(view), match_id=payloads.session_id(payload.session_id))


def _submit_answer(game: Game, sender: Sender, payload: payloads.SubmitAnswer) -> None:
    question_id = payload.question_id
    if type(question_id) is not int:
        question_id = payloads.question_id(question_id)

    def view(decision: Decision, seat: int) -> Reply:
        answer = decision.match.seats[seat].answer_to(question_id)
        assert answer is not None  # it was just locked, or stood before
        version = decision.events[0].version if decision.events else decision.match.version
        own = views.own_answer(decision.match, seat, answer, version=version, duplicate=decision.duplicate)
        return Reply(own, "answer_submitted")

    match_id = payload.session_id
    game.submit_answer(
        sender.caller(view),
        match_id=match_id if game.knows(match_id) else payloads.session_id(match_id),
        question_id=question_id,
        answer=payload.answer,
        lag_ms=sender.lag_ms(),
    )


def _complete(game: Game, sender: Sender, payload: payloads.QuizCompleted) -> None:
    def view(decision: Decision, seat: int) -> Reply:
        match = decision.match
        completed = Completed(
            match.id, match.seats[seat].score, match.version, decision.duplicate, match.ghost is not None
        )
        return Reply(completed, events=lambda: _state(game, decision, seat))

    game.complete(sender.caller(view), match_id=payloads.session_id(payload.session_id))


def _leave(game: Game, sender: Sender, payload: payloads.LeavePairQuiz) -> None:
    def view(decision: Decision, seat: int) -> Reply:
        match = decision.match
        left = Left(match.id, match.status, match.version, decision.duplicate, match.ghost is not None)
        return Reply(left, events=lambda: _state(game, decision, seat))

    game.leave(sender.caller(view), match_id=payloads.session_id(payload.session_id))


def _request_rematch(game: Game, sender: Sender, payload: payloads.RequestRematch) -> Work:
    match_id = payloads.session_id(payload.session_id)

    def view(decision: Decision, seat: int) -> Reply:
        next_id = None if decision.match.id == match_id else decision.match.id
        return Reply(RematchReply(match_id, next_id is None, next_id, decision.duplicate))

    return game.request_rematch(sender.caller(view), match_id=match_id)


async def _resume(game: Game, sender: Sender, payload: payloads.ResumePairQuiz) -> None:
    player_id = sender.player.id
    if payload.session_id is not None:
        match = await game.view(player_id, payloads.session_id(payload.session_id))
        seat = match.seat_of(player_id) or 0
        state = views.quiz_state(match, seat, game.now(), await game.rematches.prospect(match, seat))
        sender.reply(Reply(state, "quiz_state"))
        return
    now = game.now()
    seats = [(match, match.seat_of(player_id) or 0) for match in await game.live_matches(player_id)]

    def states() -> Events:
        return tuple([("quiz_state", views.quiz_state(match, seat, now)) for match, seat in seats])

    sender.reply(Reply(Sessions([views.session(match, seat) for match, seat in seats]), events=states))


async def _find_opponent(game: Game, sender: Sender, payload: payloads.FindOpponent) -> None:
    duplicate = await sender.searches.find(
        sender.player,
        topic=payloads.topic(payload.topic),
        question_count=payload.question_count,
        time_limit_s=payload.time_limit,
        pace=payload.pace,
        scoring=payload.scoring,
        accept_ghost=bool(payload.accept_ghost),
    )
    sender.reply(Reply(Searching(seeking=True, duplicate=duplicate)))


async def _cancel_find_opponent(game: Game, sender: Sender, payload: payloads.CancelFindOpponent) -> None:
    did_seek = await sender.searches.cancel(sender.player.id)
    sender.reply(Reply(Searching(seeking=False, duplicate=not did_seek)))


async def _block_player(game: Game, sender: Sender, payload: payloads.BlockPlayer) -> None:
    match = await game.view(sender.player.id, payloads.session_id(payload.session_id))
    is_new = await sender.people.block(match, match.seat_of(sender.player.id) or 0)
    sender.reply(Reply(Blocked(match.id, blocked=True, duplicate=not is_new)))


async def _unblock_player(game: Game, sender: Sender, payload: payloads.UnblockPlayer) -> None:
    match = await game.view(sender.player.id, payloads.session_id(payload.session_id))
    is_new = await sender.people.unblock(match, match.seat_of(sender.player.id) or 0)
    sender.reply(Reply(Blocked(match.id, blocked=False, duplicate=not is_new)))


async def _report(game: Game, sender: Sender, payload: payloads.ReportQuestion) -> None:
    match_id, question_id = payloads.session_id(payload.session_id), payloads.question_id(payload.question_id)
    stood = await sender.people.reporting.report(
        sender.player,
        match_id=match_id,
        question_id=question_id,
        reason=payload.reason,
        note=payloads.note(payload.note),
    )
    sender.reply(Reply(Reported(match_id, question_id, payload.reason, stood)))


async def _set_profile(game: Game, sender: Sender, payload: payloads.SetProfile) -> None:
    profile = await sender.people.set_profile(
        sender.player, display_name=payload.display_name, record_runs=payload.record_runs
    )
    record = await sender.people.memory.record(sender.player.id)
    sender.reply(Reply(views.profile(profile, record)))


async def _create_challenge(game: Game, sender: Sender, payload: payloads.CreateChallenge) -> None:
    challenge = await sender.challenges.create(sender.player, payloads.session_id(payload.session_id))
    sender.reply(Reply(views.challenge(challenge)))


def _accept_challenge(game: Game, sender: Sender, payload: payloads.AcceptChallenge) -> Work:
    code = payloads.clean("challenge_code", payload.challenge_code)
    assert code is not None
    return sender.challenges.accept(sender.caller(_joined), code=code)


async def _refresh_token(game: Game, sender: Sender, payload: payloads.RefreshToken) -> None:
    sender.reply(Reply(await sender.renew(payload.token)))


def _sync_clock(game: Game, sender: Sender, payload: payloads.SyncClock) -> None:
    reply = ClockSync(client_time=payload.client_time, server_time=sender.arrived_at)
    sender.reply(Reply(reply))


def _state(game: Game, decision: Decision, seat: int) -> Events:
    """Make the `quiz_state` that answers a command without an event of its own: the match as just committed."""
    return (("quiz_state", views.quiz_state(decision.match, seat, game.now())),)


COMMANDS: dict[str, CommandRow] = {
    "create_pair_quiz": CommandRow(payloads.CreatePairQuiz, _create),
    "join_pair_quiz": CommandRow(payloads.JoinPairQuiz, _join),
    "start_quiz": CommandRow(payloads.StartQuiz, _start),
    "submit_answer": CommandRow(payloads.SubmitAnswer, _submit_answer, immediate=True),
    "quiz_completed": CommandRow(payloads.QuizCompleted, _complete, immediate=True),
    "leave_pair_quiz": CommandRow(payloads.LeavePairQuiz, _leave, immediate=True),
    "resume_pair_quiz": CommandRow(payloads.ResumePairQuiz, _resume),
    "create_challenge": CommandRow(payloads.CreateChallenge, _create_challenge),
    "accept_challenge": CommandRow(payloads.AcceptChallenge, _accept_challenge),
    "find_opponent": CommandRow(payloads.FindOpponent, _find_opponent),
    "cancel_find_opponent": CommandRow(payloads.CancelFindOpponent, _cancel_find_opponent),
    "block_player": CommandRow(payloads.BlockPlayer, _block_player),
    "unblock_player": CommandRow(payloads.UnblockPlayer, _unblock_player),
    "request_rematch": CommandRow(payloads.RequestRematch, _request_rematch),
    "report_question": CommandRow(payloads.ReportQuestion, _report),
    "set_profile": CommandRow(payloads.SetProfile, _set_profile),
    "refresh_token": CommandRow(payloads.RefreshToken, _refresh_token, immediate=True),
    "sync_clock": CommandRow(payloads.SyncClock, _sync_clock),
}
