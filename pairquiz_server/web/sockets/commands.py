"""What players ask for over sockets: event packets in, one answer to each command out. It decides nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from pairquiz_server.engine.caller import Work
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.people import People
from pairquiz_server.engine.searches import Searches
from pairquiz_server.logs import debugging
from pairquiz_server.protocol import asking, frames
from pairquiz_server.protocol.asking import Asked
from pairquiz_server.protocol.commands import CommandRow
from pairquiz_server.protocol.events import TokenRefreshed
from pairquiz_server.protocol.sending import Reply, Sender
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.limits import REFUSAL_PAUSE_S, Limits
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.numbering import request_numbers
from pairquiz_server.web.sockets.connections import Connection, Connections

log = structlog.get_logger("pairquiz.socket")

Renew = Callable[[Connection, str], Awaitable[TokenRefreshed]]
"""Lets a connection last as long as a newer token of its player. Raises `Refused`."""


class Commands:
    """Carries out the commands of one process's connections. `renew` is set by whoever renews connections."""

    renew: Renew

    def __init__(
        self,
        game: Game,
        people: People,
        challenges: Challenges,
        searches: Searches,
        connections: Connections,
        limits: Limits,
        refusals: Refusals,
    ) -> None:
        self._game = game
        self._people = people
        self._challenges = challenges
        self._searches = searches
        self.connections = connections
        self._limits = limits
        self._refusals = refusals
        self._request_numbers = request_numbers()
        self._under_way: set[asyncio.Task[None]] = set()

    def take(self, connection: Connection, packet: bytes, arrived_at: int) -> Coroutine[Any, Any, None] | None:
        """Carry out the command that an event packet (UTF-8) asks for, and answer it once. Raises `BadFrame`.

        Returns None where the connection's next packet may be read at once, else what has to be awaited before.
        """
        asked = asking.read(packet)
        player = connection.identity.player
        request = next(self._request_numbers)
        sender = _Connected(
            player=player,
            arrived_at=arrived_at,
            people=self._people,
            challenges=self._challenges,
            searches=self._searches,
            origin=connection,
            request=request,
            commands=self,
            connection=connection,
            asked=asked,
        )
        if debugging():
            log.debug("command_received", command=asked.name, request=request)
        try:
            self._limits.command(asked.name, player.id, connection.commands)
        except Refused as refusal:
            sender.send(refusal)
            return asyncio.sleep(REFUSAL_PAUSE_S)
        row = asked.row
        if row is None:
            sender.send(Refused(Code.UNKNOWN_COMMAND, f"There is no command {asked.name!r}"))
        elif connection.under_way and not row.immediate:
            return self._in_turn(row, sender)
        else:
            work = self._perform(row, sender)
            if work is not None:
                rest = self._end(work, sender)
                if not row.immediate:
                    return rest
                self._let_go(rest)
        return None

    def refusal(self, refusal: Refused, asked: Asked, request: int | None) -> bytes:
        """Note a refusal, and return the packet that tells of it."""
        self._refusals.note(refusal.code, command=asked.name, request=request)
        if asked.ack is None:
            return frames.refusal_event(refusal, asked.name)
        return frames.refusal_acknowledgement(asked.ack, refusal)

    def _perform(self, row: CommandRow, sender: "_Connected") -> Work:
        """Carry out a command, as far as that needs no waiting; return what is left of it."""
        sender.connection.under_way += 1
        payload = sender.asked.payload
        if isinstance(payload, Refused):
            sender.reply(payload)
            return None
        try:
            if not row.immediate:
                self._limits.charge(sender, payload, sender.connection.address)
            return row.perform(self._game, sender, payload)
        except Refused as refusal:
            sender.reply(refusal)
        except Exception:
            self._fail(sender)
        return None

    async def _end(self, work: Awaitable[None], sender: "_Connected") -> None:
        """Carry out the rest of a command."""
        try:
            await work
        except Refused as refusal:
            sender.reply(refusal)
        except Exception:
            self._fail(sender)

    async def _in_turn(self, row: CommandRow, sender: "_Connected") -> None:
        """Carry out a command when those before it are answered, if its connection is still there."""
        await sender.connection.settled()
        if sender.connection.gone:
            return
        work = self._perform(row, sender)
        if work is not None:
            await self._end(work, sender)

    def _let_go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _fail(self, sender: "_Connected") -> None:
        """Answer a command that has met a fault of ours, which is being handled; one that is settled has its answer."""
        log.exception("command_failed", command=sender.asked.name, request=sender.request)
        if not sender.settled:
            sender.reply(Refused(Code.INTERNAL))


class _Connected(Sender, kw_only=True, eq=False):
    """Whoever sent a command by a connection, by which it is answered."""

    commands: Commands
    connection: Connection
    asked: Asked
    replied: bool = False

    def reply(self, outcome: Reply | Refused) -> None:
        """Answer the command, and let those go on that wait for it."""
        if not self.replied:  # else its answer has met a fault, and this is what is said of that
            self.replied = True
            self.connection.answered()
        if self.overheard is not None:
            self.overheard(outcome)
        self.send(outcome)

    def send(self, outcome: Reply | Refused) -> None:
        """Put the answer on its way."""
        ack = self.asked.ack
        if isinstance(outcome, Refused):
            self.connection.send(self.commands.refusal(outcome, self.asked, self.request))
        elif ack is not None:
            self.connection.send(frames.acknowledgement(ack, outcome.acknowledgement))
        else:
            for name, payload in outcome.told():
                self.connection.send(frames.event(name, payload))

    def lag_ms(self) -> int:
        """Return what was measured of the line that the command came by, and of those of its player's other tabs."""
        return self.commands.connections.lag_ms(self.connection)

    async def renew(self, token: str) -> TokenRefreshed:
        """Let the connection last as long as its player's next token. Raises `Refused`."""
        return await self.commands.renew(self.connection, token)
