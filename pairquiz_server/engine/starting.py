"""How a match begins, and goes on by itself: its questions are drawn, or are those of the run that plays along."""

from collections.abc import Sequence

from pairquiz_server.engine.caller import Caller, Work, asking
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.leads import Leads
from pairquiz_server.engine.reads import Reads
from pairquiz_server.rules.commands import MatchQuestion, StartMatch, Tick
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.rules.runs import BOTH, recorded
from pairquiz_server.rules.terms import Run


class Starting:
    """Starts matches, for players of one process and for those who were brought together."""

    def __init__(self, reads: Reads, draws: Draws, committer: Committer, rules: GameRules, leads: Leads) -> None:
        self._reads = reads
        self._draws = draws
        self._committer = committer
        self._submit = committer.submit
        self._rules = rules
        self._leads = leads
        self._unrecorded = 0 if rules.record_runs else BOTH

    def start(self, caller: Caller, *, match_id: str) -> Work:
        """Draw the questions and start the clock."""
        match = self._committer.cached(match_id)
        # Who joined by another node is not in ours.
        if match is None or len(match.seats) < 2 or match.seat_of(caller.player.id) is None:
            return asking(caller, self._load_and_start(caller, match_id))
        return self._start(caller, match)

    async def by_itself(self, match_id: str) -> StartMatch | Tick:
        """Return the command by which happens what it is time for in a match: it starts, or its next round is opened.

        Raises `Refused` (`not_found`) and `StorageUnavailable`.
        """
        match = self._committer.cached(match_id) or await self._reads.load(match_id)
        if match.started_at is not None:
            return Tick(match_id=match_id, lead_ms=self._leads.of(match))
        return self._start_of(match, None, *await self._drawn(match))

    async def _load_and_start(self, caller: Caller, match_id: str) -> None:
        match = await self._reads.load(match_id)
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
                None if match.ghost else self._draws.draw_at_hand(match.topic, match.question_count, players_of(match))
            )
        if draw is None:
            return asking(caller, self._draw_and_start(caller, match))
        self._start_with(caller, match, draw)
        return None

    async def _draw_and_start(self, caller: Caller, match: Match) -> None:
        self._start_with(caller, match, *await self._drawn(match))

    async def _drawn(self, match: Match) -> tuple[tuple[MatchQuestion, ...], Run | None]:
        """Draw the questions of a match; against a ghost they are those of its run, nothing where that is gone."""
        if match.ghost is None:
            return await self._draws.draw(match.topic, match.question_count, players_of(match)), None
        origin = await self._reads.find(match.ghost.match_id)
        run = recorded(origin, match.ghost.seat) if origin else None
        return (origin.questions, run) if origin and run else ((), None)

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


def players_of(match: Match) -> Sequence[str]:
    """Return the ids of those who play a match."""
    return [seat.player.id for seat in match.seats]
