"""Who sends a command, and its one answer."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pairquiz_server.engine.caller import Caller, Work
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.people import People
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.submission import Outcome
from pairquiz_server.protocol.events import TokenRefreshed
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player

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
"""Carries out a command. What it returns has to be awaited; None where the command is on its way."""
