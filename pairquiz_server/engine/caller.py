"""Who sends a command to the game, and how it is told where the database has to be asked first."""

import asyncio
from collections.abc import Awaitable, Callable

from pairquiz_server.engine.submission import Collision, Outcome, Settle, Submission, Told
from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import StorageUnavailable

Work = Awaitable[None] | None
"""What has to be awaited until a command is on its way, None where it is."""
Why = Callable[[], Refused]
"""Says why nothing may begin now."""


class Caller(Submission, kw_only=True, eq=False):
    """Who sent a command. It hears of no `Collision`: its creation is tried again."""

    player: Player

    def hear(self, outcome: Outcome) -> None:
        """Tell the caller the outcome of what was not submitted, or in another's name."""
        self.settled = True
        self.settle(outcome)

    def told(self, command: Command, tell: Settle) -> Told:
        """Return a command in the caller's name, whose outcome `tell` hears in the caller's place."""
        return Told(command=command, arrived_at=self.arrived_at, tell=tell, origin=self.origin, request=self.request)


async def asking(caller: Caller, work: Awaitable[None]) -> None:
    """Do what asks the database; the caller hears of a refusal."""
    try:
        await work
    except StorageUnavailable:
        caller.hear(Refused(Code.STORAGE_UNAVAILABLE))
    except Refused as refusal:
        caller.hear(refusal)


async def collided(caller: Caller, command: Command, submit: Callable[[Submission], None]) -> bool:
    """Submit what brings a match and wait until it is settled; tell whether it collided, which the caller hears not."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def settle(outcome: Outcome) -> None:
        try:
            if not isinstance(outcome, Collision):
                caller.hear(outcome)
        finally:
            if not done.done():  # whoever asked may have gone; the command stands
                done.set_result(isinstance(outcome, Collision))

    submit(caller.told(command, settle))
    return await done
