"""What players can do, in one place: each command gathers what it must know, and is handed to the committer."""

import secrets
from random import Random

from pairquiz_server.engine.caller import Caller, Why, Work, asking
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.joining import Joining, LiveHere
from pairquiz_server.engine.leads import Leads, Trip
from pairquiz_server.engine.opening import Opening
from pairquiz_server.engine.reads import Reads
from pairquiz_server.engine.rematch import Rematches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.starting import Starting
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.commands import CompleteQuiz, LeaveMatch, SubmitAnswer
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.questions import Questions


class Game:
    """The game of one process. Commands raise nothing of their own. `rematches` is set by whoever builds both.

    In a player's turn, of `turns`, the player's live matches are counted and one more is made, so that nothing else
    makes one in between.

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
        live_here: LiveHere = lambda player_id: None,
        trip_ms: Trip = lambda _: None,
        turns: Turns | None = None,
    ) -> None:
        random, turns = random or secrets.SystemRandom(), turns or Turns()
        self.draws = Draws(questions, seen, random)
        self._submit = committer.submit
        self._lag_allowance = rules.lag_allowance
        self.knows = committer.knows
        self.now = clock.now

        reads = Reads(matches, questions)
        self.load = reads.load
        self.view = reads.view
        self.live_matches = reads.live_matches
        self.topics = reads.topics

        self._opening = Opening(matches, reads, self.draws, committer.submit, rules, random, turns)
        self.create = self._opening.create
        self.open = self._opening.open
        self.make_sure_of_room = self._opening.make_sure_of_room

        self.join = Joining(matches, reads, committer.submit, rules, live_here, turns).join

        starting = Starting(reads, self.draws, committer, rules, Leads(trip_ms, rules.reveal_lead_max_ms))
        self.start = starting.start
        self.by_itself = starting.by_itself

    def stop_creating(self) -> None:
        """Refuse new matches from now on (`draining`), and make none by itself; those that there are go on."""
        self._opening.close()
        self.rematches.stop()

    def pause_creating(self, why: Why | None) -> None:
        """Refuse new matches until further notice, and say why; None lets them begin again."""
        self._opening.pause(why)

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
        return asking(caller, self._request_rematch(caller, match_id))

    async def _request_rematch(self, caller: Caller, match_id: str) -> None:
        self._opening.check()
        await self.rematches.request(caller, caller.player.id, match_id)
