"""A game at a terminal, from the first connection until the terminal is as it was: with its signals and its clock."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pairquiz_server.client.beside import beside, first_of
from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.kept import KeptSeat
from pairquiz_server.client.opening import opened
from pairquiz_server.client.seat import Seat
from pairquiz_server.protocol.events import Welcome
from pairquiz_server.terminal.face import Face
from pairquiz_server.terminal.game import Game, Order
from pairquiz_server.terminal.hands import Hands

LEAVE_S = 3.0
"""How long leaving in order may take."""
DRAW_EVERY_S = 0.2
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Signals:
    """The last signal that asked this program to stop."""

    def __init__(self) -> None:
        self.number = 0
        self._come = asyncio.Event()

    def take(self, number: int) -> None:
        self.number = number
        self._come.set()

    def forget(self) -> None:
        self._come.clear()

    async def first(self) -> None:
        await self._come.wait()


async def play(
    order: Order, token: str | None, kept: KeptSeat, face_of: Callable[[ServerClock], Face], hands: Hands
) -> int:
    """Play, and return the exit code. Raises `ClientError`."""
    with _signals() as signals:
        coming = await first_of(opened(order.url, token, kept, "player"), signals.first())
        if coming is None:
            return 128 + signals.number
        line, welcome = coming
        clock = ServerClock()
        face = face_of(clock)
        seat = Seat(line, face.hear, clock)
        game = Game(order, seat, kept, face, hands)
        try:
            return await beside(_played(game, welcome, face, signals), line.keep(), seat.listen(), _drawing(face))
        finally:
            face.close(seat.duel)
            await line.close()


async def _played(game: Game, welcome: Welcome, face: Face, signals: _Signals) -> int:
    if await first_of(game.run(welcome), signals.first()):
        return 0
    if signals.number == signal.SIGINT:
        face.says("Leaving …")
        signals.forget()
        await first_of(_left(game), signals.first())
        return 128 + signal.SIGINT
    face.says("The match goes on without you: the same command comes back to it, if it is soon.")
    return 128 + signals.number


async def _left(game: Game) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            await game.leave()


async def _drawing(face: Face) -> None:
    while True:
        await asyncio.sleep(DRAW_EVERY_S)
        face.draw()


@contextmanager
def _signals() -> Iterator[_Signals]:
    loop, signals = asyncio.get_running_loop(), _Signals()
    before = {number: signal.getsignal(number) for number in STOPS}
    for number in STOPS:
        loop.add_signal_handler(number, signals.take, number)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
