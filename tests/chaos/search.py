"""A player who looks for an opponent, whoever that is."""

import asyncio
from random import Random

from tests.chaos.history import ACKNOWLEDGED, Payload
from tests.chaos.player import Player
from tests.chaos.view import View

AGAIN_S = (0.3, 4.0)
"""So long a player waits before asking again: who has lost the connection is not looked for any more."""
DOUBT_SHARE = 0.15


async def find(player: Player, wishes: Payload, random: Random) -> View | None:
    """Look until somebody is found, and return the match; None where the server refuses. Now and then cancel first."""
    while not player.found.empty():
        player.found.get_nowait()
    while player.found.empty():
        asked = await player.ask("find_opponent", wishes)
        if asked.outcome != ACKNOWLEDGED:
            player.complaints.append(f"find_opponent was refused: {asked.reply}")
            return None
        try:
            async with asyncio.timeout(random.uniform(*AGAIN_S)):
                return player.follow(await player.found.get())
        except TimeoutError:
            if random.random() < DOUBT_SHARE:
                await player.ask("cancel_find_opponent", {})
    return player.follow(player.found.get_nowait())
