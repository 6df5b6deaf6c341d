"""A player who looks for an opponent, whoever that is."""

import asyncio
from random import Random

from tests.chaos.history import ACKNOWLEDGED, Payload
from tests.chaos.player import Player
from tests.chaos.view import View

AGAIN_S = (0.3, 4.0)
"""So long a player waits before asking again: who has lost the connection is not looked for any more."""
DOUBT_SHARE = 0.15
ALONE_S = 10.0
"""Who asks again behind a match of which nothing was told yet looks once more than is wanted, and takes somebody else's
opponent. So one may be left over: who was the only one to look for so long."""


async def find(player: Player, wishes: Payload, random: Random) -> View | None:
    """Look until somebody is found, and return the match. Now and then cancel first.

    None where the server refuses, or nobody else has looked for `ALONE_S`.
    """
    while not player.found.empty():
        player.found.get_nowait()
    seeking = player.world.seeking
    seeking.add(player)
    try:
        return await _look(player, wishes, random)
    finally:
        seeking.discard(player)


async def _look(player: Player, wishes: Payload, random: Random) -> View | None:
    loop = asyncio.get_running_loop()
    accompanied_at = loop.time()
    while player.found.empty():
        if len(player.world.seeking) > 1:
            accompanied_at = loop.time()
        elif loop.time() - accompanied_at > ALONE_S:
            cancelled = await player.ask("cancel_find_opponent", {})
            if cancelled.outcome == ACKNOWLEDGED and player.found.empty():
                return None
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
