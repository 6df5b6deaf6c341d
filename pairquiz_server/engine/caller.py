"""Who sends a command to the game, and how it is told where the database has to be asked first."""

from collections.abc import Awaitable

from pairquiz_server.engine.submission import Outcome, Submission
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import StorageUnavailable

Work = Awaitable[None] | None
"""What has to be awaited until a command is on its way, None where it is."""


class Caller(Submission, kw_only=True, eq=False):
    """Who sent a command. It hears of no `Collision`: its creation is tried again."""

    player: Player

    def hear(self, outcome: Outcome) -> None:
        """Tell the caller the outcome of what was not submitted, or in another's name."""
        self.settled = True
        self.settle(outcome)


async def asking(caller: Caller, work: Awaitable[None]) -> None:
    """Do what asks the database; the caller hears of a refusal."""
    try:
        await work
    except StorageUnavailable:
        caller.hear(Refused(Code.STORAGE_UNAVAILABLE))
    except Refused as refusal:
        caller.hear(refusal)
