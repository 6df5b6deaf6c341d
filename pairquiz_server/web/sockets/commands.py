"""What players ask for over sockets: event packets in, one answer to each command out. It decides nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from pairquiz_server.engine.game import Game
from pairquiz_server.engine.people import People
from pairquiz_server.logs import debugging
from pairquiz_server.protocol import COMMANDS, frames, payloads
from pairquiz_server.protocol.commands import CommandRow, Renew, Reply, Sender
from pairquiz_server.protocol.events import TokenRefreshed
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.limits import REFUSAL_PAUSE_S, Limits
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.numbering import request_ids
from pairquiz_server.web.sockets.connections import Connection, Connections
from pairquiz_server.web.sockets.pings import Pings

log = structlog.get_logger("pairquiz.socket")

NAME_SHOWN_MAX = 64


class Commands:
    """Carries out the commands of one process's connections."""

    def __init__(
        self,
        game: Game,
        people: People,
        connections: Connections,
        limits: Limits,
        pings: Pings,
        refusals: Refusals,
    ) -> None:
        self._game = game
        self._people = people
        self._connections = connections
        self._limits = limits
        self._pings = pings
        self._refusals = refusals
        self._request_ids = request_ids()
        self.renew: Callable[[Connection, str], Awaitable[TokenRefreshed]]

    def take(self, connection: Connection, packet: bytes, arrived_at: int) -> Coroutine[Any, Any, None] | None:
        """Carry out a command's packet; return what has to be done before the next. Raises `BadFrame`."""
        frame = frames.decode_event(packet.decode())
        return self.carry_out(connection, frame, arrived_at, partial(self.renew, connection))

    async def carry_out(self, connection: Connection, frame: frames.EventFrame, arrived_at: int, renew: Renew) -> None:
        """Carry out a command, and answer it once. `renew` takes the next token of this connection.

        Returns when the connection's next frame may be read: a command whose answer takes its time is carried on.
        """
        request = next(self._request_ids)

        def reply(outcome: Reply | Refused) -> None:
            if isinstance(outcome, Refused):
                self._refusals.note(outcome.code, command=frame.name[:NAME_SHOWN_MAX], request=request)
                connection.send(
                    frames.refusal_event(outcome, frame.name[:NAME_SHOWN_MAX])
                    if frame.ack is None
                    else frames.refusal_acknowledgement(frame.ack, outcome)
                )
            elif frame.ack is not None:
                connection.send(frames.acknowledgement(frame.ack, outcome.acknowledgement))
            else:
                for name, payload in outcome.events:
                    connection.send(frames.event(name, payload))

        if debugging():
            log.debug("command_received", command=frame.name[:NAME_SHOWN_MAX], request=request)
        try:
            self._limits.command(frame.name, connection.player.id, connection.commands)
        except Refused as refusal:
            reply(refusal)
            await asyncio.sleep(REFUSAL_PAUSE_S)
            return
        sender = Sender(
            player=connection.player,
            arrived_at=arrived_at,
            reply=reply,
            people=self._people,
            lag_ms=partial(self._lag_ms, connection),
            origin=connection,
            request=request,
            renew=renew,
        )
        row = COMMANDS.get(frame.name)
        if row is None:
            reply(Refused(Code.UNKNOWN_COMMAND, f"There is no command {frame.name[:NAME_SHOWN_MAX]!r}"))
        elif row.immediate:
            connection.carry_on(self._perform(row, sender, frame, connection.address))
        else:
            await connection.settled()
            await self._perform(row, sender, frame, connection.address)

    def _lag_ms(self, connection: Connection) -> int:
        tabs = self._connections.of(connection.player.id)
        return self._pings.lag_ms(connection.eio_sid, (one.eio_sid for one in tabs if one is not connection))

    async def _perform(self, row: CommandRow, sender: Sender, frame: frames.EventFrame, address: str) -> None:
        try:
            payload = payloads.parse(row.payload, frame.payload)
            sender = self._limits.charge(sender, payload, address)
            await row.perform(self._game, sender, payload)
        except Refused as refusal:
            sender.reply(refusal)
        except Exception:
            log.exception("command_failed", command=frame.name[:NAME_SHOWN_MAX], request=sender.request)
            sender.reply(Refused(Code.INTERNAL))
