"""What players can do: gather what a command must know, and hand it to the committer."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.codes import JOIN_CODE_LENGTH, new_code, normal_code
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.leads import Leads, Trip
from pairquiz_server.engine.recent import Recent
from pairquiz_server.engine.rematch import Rematches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.submission import Collision, Outcome, Settle, Submission, Told
from pairquiz_server.engine.together import Together
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.absence import Patience
from pairquiz_server.rules.commands import (
    CompleteQuiz,
    CreateMatch,
    Creation,
    JoinMatch,
    LeaveMatch,
    MatchQuestion,
    StartMatch,
    SubmitAnswer,
    Tick,
    Topic,
)
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.runs import BOTH, recorded
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Pace, Run
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.questions import Questions, TopicCount

LOADED_AT_ONCE = 500
"""So many matches of those who come back are read at once. Who has joined thousands costs the others time, no more."""
TOPICS_KEPT_S = 2.0
"""Anybody may ask for the topics, and each time all questions would be counted."""

Work = Awaitable[None] | None
"""What has to be awaited until a command is on its way, None where it is."""
Gather = Callable[[], Awaitable[Creation | Decision]]
"""Makes a creation, or finds the match that an earlier one has made. Raises `Refused` and `StorageUnavailable`."""


class GameRules(Struct, frozen=True, kw_only=True):
    """What a match has where its creator does not say, and how long it waits. `live_matches_max` of 0 is no limit.

    Where `record_runs` is false nobody's runs are replayed; a challenge holds for `challenge_ttl_ms`, 0 is for ever.
    """

    question_count: int
    time_limit_s: int
    scoring: Scoring
    waiting_ttl_ms: int
    ready_ttl_ms: int
    start_delay_ms: int = 3000
    reveal_lead_max_ms: int = 300
    round_pause_ms: int = 2000
    patience: Patience = Patience()
    live_matches_max: int = 0
    lag_allowance: LagAllowance = LagAllowance()
    record_runs: bool = True
    challenge_ttl_ms: int = 30 * 24 * 3600 * 1000


class Caller(Submission, kw_only=True, eq=False):
    """Who sent a command. It hears of no `Collision`: its creation is tried again."""

    player: Player


class Game:
    """The game of one process. Commands raise nothing of their own. `rematches` is set by whoever builds both.

    `live_here` says of how many live matches a player has heard who is connected here, None of one who is not: who is
    far from the limit, the database is not asked about. In a player's turn, of `turns`, the player's matches are
    counted and one more is made, so that nothing else makes one in between.

    A command whose method returns None is on its way, or refused. Else the database has to be asked first: what is
    returned then has to be awaited, until the same is true.
    """

    rematches: Rematches

    def __init__(
        self,
        matches: Matches,
        questions: Questions,
        committer: Committer,
        clock: Clock,
        rules: GameRules,
        *,
        seen: Seen,
        random: Random | None = None,
        live_here: Callable[[str], int | None] = lambda player_id: None,
        trip_ms: Trip = lambda _: None,
        turns: Turns | None = None,
    ) -> None:
        self._matches = matches
        self._live_here = live_here
        self._committer = committer
        self._rules = rules
        self._lag_allowance = rules.lag_allowance
        self._unrecorded = 0 if rules.record_runs else BOTH
        self._leads = Leads(trip_ms, rules.reveal_lead_max_ms)
        self._random = random or secrets.SystemRandom()
        self.draws = Draws(questions, seen, self._random)
        self._submit = committer.submit
        self.knows = committer.knows
        self._creates = True
        self._turns = turns or Turns()
        self._topics = Recent(questions.list_topics, TOPICS_KEPT_S)
        self._live = Together(self._read_live)
        self.now = clock.now

    def stop_creating(self) -> None:
        """Refuse new matches from now on (`draining`), and make none by itself; those that there are go on."""
        self._creates = False
        self.rematches.stop()

    def create(
        self,
        caller: Caller,
        *,
        topic: str,
        question_count: int | None = None,
        time_limit_s: int | None = None,
        pace: Pace | None = None,
        scoring: ScoringProfile | None = None,
        request_id: str | None = None,
    ) -> Work:
        """Open a match. The same `request_id` again (24 h) finds the match that it made.

        Where a player's creations have to be counted they take turns, so that those at the same instant count each
        other.
        """
        count = question_count or self._rules.question_count

        def of(found: Topic) -> CreateMatch:
            return CreateMatch(
                match_id=str(uuid4()),
                player=caller.player,
                topic=found,
                join_code=new_code(self._random, JOIN_CODE_LENGTH),
                question_count=count,
                time_limit_s=time_limit_s or self._rules.time_limit_s,
                scoring=self._scoring(scoring),
                waiting_ttl_ms=self._rules.waiting_ttl_ms,
                request_id=request_id,
                pace=pace or Pace.FREE,
            )

        if request_id is None and not self._rules.live_matches_max and self._creates:
            found = self.draws.topic_at_hand(topic, count)
            if found is not None:
                self._open(caller, partial(of, found))
                return None

        async def gather() -> CreateMatch | Decision:
            most = self._rules.live_matches_max
            live = 0
            if request_id is not None or most:
                earlier, live = await self._matches.find_before_creation(caller.player.id, request_id, most)
                if earlier is not None:
                    return Decision(await self.load(earlier), duplicate=True)
            self._refuse_one_more(live)
            return of(await self.draws.topic(topic, count) or Topic(0, topic, 0))

        return self.open(caller, gather)

    def open(self, caller: Caller, gather: Gather) -> Work:
        """Open the match that `gather` makes, or answer with the one that it finds; gather again where it collides."""
        return self._asking(caller, self._create_in_turn(caller, gather))

    async def make_sure_of_room(self, player_id: str) -> None:
        """Refuse one more match of a player who is in too many, or while this process stops.

        Raises `Refused` and `StorageUnavailable`.
        """
        most = self._rules.live_matches_max
        _, live = await self._matches.find_before_creation(player_id, None, most) if most else (None, 0)
        self._refuse_one_more(live)

    def _refuse_one_more(self, live: int) -> None:
        if not self._creates:
            raise Refused(Code.DRAINING)
        if self._rules.live_matches_max and live >= self._rules.live_matches_max:
            raise Refused(Code.TOO_MANY_SESSIONS)

    def _open(self, caller: Caller, make: Callable[[], CreateMatch]) -> None:
        """Submit a creation, and another one where its join code is taken."""

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, Collision):
                self._open(caller, make)
            else:
                _settle(caller, outcome)

        self._submit_for(caller, make(), settle)

    async def _create_in_turn(self, caller: Caller, gather: Gather) -> None:
        """Gather what a creation must know and submit it; gather again where it collided."""
        async with self._turns.of(caller.player.id):
            while True:
                command = await gather()
                if isinstance(command, Decision):
                    _settle(caller, command)
                    return
                if not await self._settled(caller, command):
                    return

    def join(self, caller: Caller, *, match_id: str | None, join_code: str | None) -> Work:
        """Take the free seat of a match, found by its id or by its code in any spelling."""
        if match_id is None:
            return self._asking(caller, self._join_by_code(caller, join_code))
        if self._join_at_once(caller, match_id):
            return None
        return self._asking(caller, self._join_unless_full(caller, match_id))

    def _join_at_once(self, caller: Caller, match_id: str) -> bool:
        """Join where it is certain that the player is not in too many live matches; tell whether it is.

        It is, where nothing else can bring the player one before this is settled, but for a search, which brings one.
        """
        player_id, command = caller.player.id, self._join_of(caller, match_id)
        most = self._rules.live_matches_max
        if not most:
            caller.command = command
            self._submit(caller)
            return True
        live = self._live_here(player_id)
        if live is None or live + 1 >= most or not self._turns.take_at_once(player_id):
            return False

        def settle(outcome: Outcome) -> None:
            self._turns.give_back(player_id)
            _settle(caller, outcome)

        self._submit_for(caller, command, settle)
        return True

    async def _join_unless_full(self, caller: Caller, match_id: str) -> None:
        most, player_id = self._rules.live_matches_max, caller.player.id
        async with self._turns.of(player_id):
            _, live = await self._matches.find_before_creation(player_id, None, most)
            if live >= most and (await self.load(match_id)).seat_of(player_id) is None:  # else it is a duplicate
                raise Refused(Code.TOO_MANY_SESSIONS)
            await self._settled(caller, self._join_of(caller, match_id))

    async def _join_by_code(self, caller: Caller, join_code: str | None) -> None:
        found, code = None, normal_code(join_code or "")
        if code:  # where two were brought together there is none
            found = await self._matches.find_by_code(code, caller.player.id)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        if not self._join_at_once(caller, found):
            await self._join_unless_full(caller, found)

    def _join_of(self, caller: Caller, match_id: str) -> JoinMatch:
        return JoinMatch(match_id=match_id, player=caller.player, ready_ttl_ms=self._rules.ready_ttl_ms)

    def start(self, caller: Caller, *, match_id: str) -> Work:
        """Draw the questions and start the clock."""
        match = self._committer.cached(match_id)
        # Who joined by another node is not in ours.
        if match is None or len(match.seats) < 2 or match.seat_of(caller.player.id) is None:
            return self._asking(caller, self._load_and_start(caller, match_id))
        return self._start(caller, match)

    async def _load_and_start(self, caller: Caller, match_id: str) -> None:
        match = await self.load(match_id)
        if match.seat_of(caller.player.id) is None:
            raise Refused(Code.NOT_A_PLAYER)
        work = self._start(caller, match)
        if work is not None:
            await work

    def _start(self, caller: Caller, match: Match) -> Work:
        """Start a match for one of its players. For one that has begun, or is over, nothing is drawn."""
        draw: tuple[MatchQuestion, ...] | None = ()
        if match.status in LIVE and match.started_at is None:
            draw = (
                None if match.ghost else self.draws.draw_at_hand(match.topic, match.question_count, players_of(match))
            )
        if draw is None:
            return self._asking(caller, self._draw_and_start(caller, match))
        self._start_with(caller, match, draw)
        return None

    async def _draw_and_start(self, caller: Caller, match: Match) -> None:
        self._start_with(caller, match, *await self._drawn(match))

    def _start_with(
        self, caller: Caller, match: Match, draw: tuple[MatchQuestion, ...], run: Run | None = None
    ) -> None:
        caller.command = self._start_of(match, caller.player.id, draw, run)
        self._submit(caller)

    def _start_of(
        self, match: Match, player_id: str | None, draw: tuple[MatchQuestion, ...], run: Run | None = None
    ) -> StartMatch:
        return StartMatch(
            match_id=match.id,
            player_id=player_id,
            draw=draw,
            drawn_for=len(match.seats),
            patience=self._rules.patience,
            lead_ms=self._leads.of(match),
            pause_ms=self._rules.round_pause_ms,
            run=run,
            unrecorded=self._unrecorded,
        )

    async def by_itself(self, match_id: str) -> StartMatch | Tick:
        """Return the command by which happens what it is time for in a match: it starts, or its next round is opened.

        Raises `Refused` (`not_found`) and `StorageUnavailable`.
        """
        match = self._committer.cached(match_id) or await self.load(match_id)
        if match.started_at is not None:
            return Tick(match_id=match_id, lead_ms=self._leads.of(match))
        return self._start_of(match, None, *await self._drawn(match))

    async def _drawn(self, match: Match) -> tuple[tuple[MatchQuestion, ...], Run | None]:
        """Draw the questions of a match; against a ghost they are those of its run, nothing where that is gone."""
        if match.ghost is None:
            return await self.draws.draw(match.topic, match.question_count, players_of(match)), None
        found = await self._matches.load([match.ghost.match_id])
        origin = found.get(match.ghost.match_id)
        run = recorded(origin, match.ghost.seat) if origin else None
        return (origin.questions, run) if origin and run else ((), None)

    def submit_answer(
        self, caller: Caller, *, match_id: str, question_id: int, answer: int | str, lag_ms: int = 0
    ) -> None:
        """Answer a question; `lag_ms` is what the server has measured of the line that the answer came by."""
        caller.command = SubmitAnswer(
            match_id=match_id,
            player_id=caller.player.id,
            question_id=question_id,
            answer=answer,
            lag_ms=lag_ms,
            allowance=self._lag_allowance,
        )
        self._submit(caller)

    def complete(self, caller: Caller, *, match_id: str) -> None:
        """Be done: what is unanswered counts as wrong."""
        caller.command = CompleteQuiz(match_id=match_id, player_id=caller.player.id)
        self._submit(caller)

    def leave(self, caller: Caller, *, match_id: str) -> None:
        """Give up."""
        caller.command = LeaveMatch(match_id=match_id, player_id=caller.player.id)
        self._submit(caller)

    def request_rematch(self, caller: Caller, *, match_id: str) -> Work:
        """Ask for another match like a completed one, which begins once both players have asked."""
        return self._asking(caller, self._request_rematch(caller, match_id))

    async def _request_rematch(self, caller: Caller, match_id: str) -> None:
        if not self._creates:
            raise Refused(Code.DRAINING)
        await self.rematches.request(caller, caller.player.id, match_id)

    async def view(self, player_id: str, match_id: str) -> Match:
        """Return a match as PostgreSQL has it, for one of its players.

        Raises `Refused` (`not_found`, `not_a_player`, `storage_unavailable`).
        """
        try:
            match = await self.load(match_id)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        if match.seat_of(player_id) is None:
            raise Refused(Code.NOT_A_PLAYER)
        return match

    async def live_matches(self, player_id: str) -> list[Match]:
        """Return a player's live matches as PostgreSQL has them, the oldest first.

        Raises `Refused` (`storage_unavailable`).
        """
        try:
            return list(await self._live.ask(player_id) or ())
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    async def _read_live(self, players: Sequence[str]) -> dict[str, list[Match]]:
        live = await self._matches.find_live_of(players)
        every = list({match_id for ids in live.values() for match_id in ids})
        found: dict[str, Match] = {}
        for first in range(0, len(every), LOADED_AT_ONCE):
            found |= await self._matches.load(every[first : first + LOADED_AT_ONCE])
        return {
            player_id: [found[match_id] for match_id in ids if match_id in found] for player_id, ids in live.items()
        }

    async def topics(self) -> Sequence[TopicCount]:
        """Return all topics with how many questions each has, as of a moment ago.

        Raises `Refused` (`storage_unavailable`).
        """
        try:
            return await self._topics.get()
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    def _scoring(self, profile: ScoringProfile | None) -> Scoring:
        return replace(self._rules.scoring, profile=profile) if profile else self._rules.scoring

    async def load(self, match_id: str) -> Match:
        """Return a match as PostgreSQL has it. Raises `Refused` (`not_found`) and `StorageUnavailable`."""
        found = await self._matches.load([match_id])
        if match_id not in found:
            raise Refused(Code.NOT_FOUND)
        return found[match_id]

    async def _asking(self, caller: Caller, work: Awaitable[None]) -> None:
        """Do what asks the database; the caller hears of a refusal."""
        try:
            await work
        except StorageUnavailable:
            _settle(caller, Refused(Code.STORAGE_UNAVAILABLE))
        except Refused as refusal:
            _settle(caller, refusal)

    async def _settled(self, caller: Caller, command: Creation | JoinMatch) -> bool:
        """Submit what brings a match and wait until it is settled; tell whether it collided."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            try:
                if not isinstance(outcome, Collision):
                    _settle(caller, outcome)
            finally:
                if not done.done():  # whoever asked may have gone; the command stands
                    done.set_result(isinstance(outcome, Collision))

        self._submit_for(caller, command, settle)
        return await done

    def _submit_for(self, caller: Caller, command: Creation | JoinMatch, settle: Settle) -> None:
        arrived_at, origin, request = caller.arrived_at, caller.origin, caller.request
        self._submit(Told(command=command, arrived_at=arrived_at, tell=settle, origin=origin, request=request))


def players_of(match: Match) -> Sequence[str]:
    """Return the ids of those who play a match."""
    return [seat.player.id for seat in match.seats]


def _settle(caller: Caller, outcome: Outcome) -> None:
    """Tell a caller the outcome of what was not submitted, or in another's name."""
    caller.settled = True
    caller.settle(outcome)
