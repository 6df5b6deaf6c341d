"""A player of a load test: asks until it is answered, comes back by itself, and takes in what it is told."""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from pairquiz_server.client.errors import ClientError, NoServer, Refusal
from pairquiz_server.client.hearing import read
from pairquiz_server.loadtest.tally import LOST_LINE
from pairquiz_server.loadtest.wire import CONNECT_S, Wire
from pairquiz_server.protocol.events import OpponentAnswer, Welcome
from pairquiz_server.protocol.events.table import EVENTS

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 4.0
RETRY_S = 0.5

Kind = TypeVar("Kind", bound=Struct)
Answer = Mapping[str, Any]
Connect = Callable[[Callable[[str], None], Callable[[], None]], Wire]
"""Makes a connection, to be opened, of who hears its packets, and who is called when it ends."""
_DECODERS = {name: msgspec.json.Decoder(row.payloads[0]) for name, row in EVENTS.items()}
_DECODERS["answer_submitted"] = msgspec.json.Decoder(OpponentAnswer)
"""Each player has one connection, and its own answers are acknowledged: it hears of the other's alone."""
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
_encode = msgspec.json.Encoder().encode


class Owner(Protocol):
    """Who is told what a player is told; `seat` is the player's, 0 or 1."""

    def heard(self, seat: int, name: str, event: Struct) -> None:
        """Take in an event."""

    def trouble(self, what: str) -> None:
        """Count something that went wrong, and may be mended by itself."""

    def malformed(self, text: str) -> None:
        """Take in that something cannot be understood."""

    def line_lost(self, seat: int) -> None:
        """Take in that the player's connection was lost."""

    def line_back(self, seat: int) -> None:
        """Take in that the player is connected again."""


class _Asked(Struct):
    command: str
    packet: str
    answered: Callable[[Answer], None]
    refused: Callable[[Refusal], None]


class Player:
    """One player."""

    def __init__(self, connect: Connect, token: str | None, owner: Owner, seat: int) -> None:
        self.token = token
        self.handshake_s = self.welcome_s = 0.0
        """How long the last connection took until it stood, and from then until its first event."""
        self._connect = connect
        self._owner = owner
        self._seat = seat
        self._numbers = count()
        self._asked: dict[int, _Asked] = {}
        self._wire: Wire | None = None
        self._welcome: asyncio.Future[Welcome] = asyncio.get_running_loop().create_future()
        self._returning: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> Welcome:
        """Connect, and return what `welcome` says. Raises `NoServer`, `Refusal`."""
        self._closed = False
        self._welcome = asyncio.get_running_loop().create_future()
        wire = self._connect(self._hear, self._ended)
        try:
            welcome = await self._welcomed(wire)
        except BaseException:
            await wire.close()
            raise
        self.token = welcome.guest_token or self.token
        self._wire = wire
        for asked in self._asked.values():
            wire.send(asked.packet)
        return welcome

    def ask(
        self, command: str, payload: object, answered: Callable[[Answer], None], refused: Callable[[Refusal], None]
    ) -> None:
        """Send a command until it is acknowledged, or refused for good."""
        number = next(self._numbers)
        packet = f'2{number}["{command}",{_encode(payload).decode()}]'
        self._asked[number] = _Asked(command, packet, answered, refused)
        if self._wire is not None:
            self._wire.send(packet)

    async def asked(self, command: str, payload: object, kind: type[Kind]) -> Kind:
        """Send a command, and return its acknowledgement. Raises `Refusal`."""
        said: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def refused(refusal: Refusal) -> None:
            if not said.done():
                said.set_exception(refusal)

        self.ask(command, payload, lambda answer: None if said.done() else said.set_result(answer), refused)
        return read(await said, kind, command)

    def unanswered(self) -> list[str]:
        """Return the names of the commands that nothing came back for, so far."""
        return [asked.command for asked in self._asked.values()]

    async def cut(self) -> None:
        """Lose the line as by accident, and wait until the player is back, as it always is by itself."""
        self._ended()
        if self._returning is not None:
            await self._returning

    async def close(self) -> None:
        """Hang up, and do not come back."""
        self._closed = True
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _welcomed(self, wire: Wire) -> Welcome:
        begun_at = time.monotonic()
        await wire.open(self.token)
        self.handshake_s = time.monotonic() - begun_at
        try:
            async with asyncio.timeout(CONNECT_S):
                welcome = await self._welcome
        except TimeoutError:
            raise NoServer("the server says no welcome") from None
        self.welcome_s = time.monotonic() - begun_at - self.handshake_s
        return welcome

    def _ended(self) -> None:
        if not self._welcome.done():
            self._welcome.set_exception(NoServer("the server has hung up before its welcome"))
        if self._closed or self._wire is None:
            return
        wire, self._wire = self._wire, None
        self._owner.trouble(LOST_LINE)
        self._owner.line_lost(self._seat)
        self._returning = asyncio.create_task(self._return(wire))

    async def _return(self, before: Wire) -> None:
        await before.close()
        wait_s = FIRST_WAIT_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self.open()
            except ClientError as error:
                self._owner.trouble(f"connect:{error.code}" if isinstance(error, Refusal) else "connect:no_server")
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            else:
                break
        self._owner.line_back(self._seat)

    def _hear(self, packet: str) -> None:
        if packet.startswith("3"):
            start = packet.index("[")
            self._answer(int(packet[1:start]), packet[start:])
        elif packet.startswith('2["'):
            name, _, rest = packet[3:].partition('"')
            self._event(name, rest[1:-1])
        elif packet.startswith("1"):  # the server ends it; the line follows
            self._ended()

    def _answer(self, number: int, text: str) -> None:
        asked = self._asked.pop(number, None)
        if asked is None:
            self._owner.malformed(f"an acknowledgement came twice, or nobody asked for it: {text[:200]}")
            return
        try:
            (said,) = _decode(text)
        except (msgspec.MsgspecError, ValueError) as error:
            self._owner.malformed(f"the acknowledgement of {asked.command} ({error}): {text[:200]}")
            return
        if said.get("ok"):
            asked.answered(said)
            return
        refusal = Refusal(said.get("error", {}))
        self._owner.trouble(f"{asked.command}:{refusal.code}")
        if refusal.retry:
            self._asked[number] = asked
            asyncio.get_running_loop().call_later(refusal.retry_in_ms / 1000 or RETRY_S, self._retry, number)
        else:
            asked.refused(refusal)

    def _retry(self, number: int) -> None:
        asked = self._asked.get(number)
        if asked is not None and self._wire is not None:
            self._wire.send(asked.packet)

    def _event(self, name: str, text: str) -> None:
        decoder = _DECODERS.get(name)
        if decoder is None:
            return
        try:
            event = decoder.decode(text)
        except msgspec.MsgspecError as error:
            self._owner.malformed(f"{name} ({error}): {text[:200]}")
            return
        if isinstance(event, Welcome):
            if not self._welcome.done():
                self._welcome.set_result(event)
        else:
            self._owner.heard(self._seat, name, event)
