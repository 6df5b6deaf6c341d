"""The Socket.IO edge: who comes and goes, and which packets are commands (`web.sockets.commands`). It decides nothing.

python-socketio keeps the handshake of a poll, polling and the upgrade. Its dispatch is replaced
(`_handle_eio_message`), because a handler is never told whether an acknowledgement was asked for, unknown events get
no answer, `42["disconnect"]` would run our own handler, and one broken packet would write a traceback; and with it
CONNECT and the end of a connection, because its manager looks through all connections at the end of each.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import socketio
import structlog
from aiohttp import WSCloseCode, hdrs, web
from msgspec.structs import replace

from pairquiz_server.config import Settings
from pairquiz_server.engine.game import Game
from pairquiz_server.logs import debugging
from pairquiz_server.protocol import frames, reading
from pairquiz_server.protocol.events import TokenRefreshed
from pairquiz_server.protocol.versions import require_spoken
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.errors import Refused
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.guard.origins import Origins
from pairquiz_server.web.guard.places import Place
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.identity.admission import Admission, bearer_token
from pairquiz_server.web.identity.auth import Identity
from pairquiz_server.web.sockets.commands import Commands
from pairquiz_server.web.sockets.connections import Connection, Connections
from pairquiz_server.web.sockets.expiry import Expiry
from pairquiz_server.web.sockets.framing import TEXT
from pairquiz_server.web.sockets.idle import Idle
from pairquiz_server.web.sockets.transport import Transports
from pairquiz_server.web.sockets.websocket import Headers, HttpProtocol, WebsocketSession
from pairquiz_server.web.sockets.welcome import Welcome

log = structlog.get_logger("pairquiz.socket")

FAREWELL_S = 3.0
"""How long a poll may let the disconnect packet wait, before the session ends without it."""


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # python-socketio has no types
    """The Socket.IO server of one process."""

    def __init__(
        self,
        game: Game,
        admission: Admission,
        commands: Commands,
        expiry: Expiry,
        connections: Connections,
        transports: Transports,
        idle: Idle,
        origins: Origins,
        refusals: Refusals,
        limits: Limits,
        arrivals: Arrivals,
        settings: Settings,
        *,
        logger: Any,
        engineio_logger: Any,
    ) -> None:
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,  # one client's commands are carried out in the order in which they came
            namespaces=["/"],
            cors_allowed_origins=lambda origin, environ: origins.allows(origin, environ.get("HTTP_HOST")),
            cors_credentials=False,
            ping_interval=settings.server.ping_interval_s,
            ping_timeout=settings.server.ping_timeout_s,
            max_http_buffer_size=settings.limits.message_bytes,
            http_compression=False,
            monitor_clients=False,  # `Beats` and `Idle` do
            logger=logger,
            engineio_logger=engineio_logger,
        )
        self._game = game
        self._admission = admission
        self._commands = commands
        self._expiry = expiry
        self._connections = connections
        self._transports = transports
        self._idle = idle
        self._refusals = refusals
        self._limits = limits
        self._arrivals = arrivals
        self._welcome = Welcome(game, connections, settings.server.region)
        self._by_eio_sid: dict[str, Connection] = {}
        self._arriving: set[str] = set()
        self._terms = (
            '"upgrades":[],'
            f'"pingTimeout":{int(settings.server.ping_timeout_s * 1000)},'
            f'"pingInterval":{int(settings.server.ping_interval_s * 1000)},'
            f'"maxPayload":{settings.limits.message_bytes}'
        )
        """What a websocket's session is told at its start, beside its id."""
        commands.renew = self._renew

    def open_websocket(self, http: HttpProtocol, headers: Headers, answer: bytes, place: Place) -> None:
        """Answer a websocket's handshake, and begin a session with it; the gate has looked at the request.

        What python-engineio would do beside is to read it a second time.
        """
        eio_sid: str = self.eio.generate_id()
        session = WebsocketSession(self.eio, eio_sid, self._transports)
        handed = http.hand_over(session.queue)
        if handed is not None:  # else the client is gone already
            self.eio.sockets[eio_sid] = session
            self._begin(eio_sid, headers, place)
            session.queue.begin(answer)
            session.queue.send_frame(TEXT, f'0{{"sid":"{eio_sid}",{self._terms}}}'.encode())
            session.queue.open(*handed)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        request: web.Request = environ["aiohttp.request"]
        self._begin(eio_sid, request.headers, self._arrivals.place_of(request))
        self._transports.coming(eio_sid)

    def _begin(self, eio_sid: str, headers: Headers, place: Place) -> None:
        self._arrivals.keep(eio_sid, place)
        self._idle.opened(eio_sid)
        # Not the whole request: it would last as long as the session.
        self.environ[eio_sid] = headers.get(hdrs.AUTHORIZATION)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        """Take a packet that has come by POST."""
        if eio_sid in self.environ:  # else it stands behind a CLOSE in the same one
            work = self.take(eio_sid, data.encode(errors="replace"), self._game.now())
            if work is not None:
                await work

    def take(self, eio_sid: str, packet: bytes, arrived_at: int) -> Coroutine[Any, Any, object] | None:
        """Carry out a packet of a session; return what has to be done before its next one, if anything has."""
        connection = self._by_eio_sid.get(eio_sid)
        try:
            if connection is not None and packet.startswith(b"2"):
                return self._commands.take(connection, packet, arrived_at)
            kind = packet[:1]
            if kind == b"0" and connection is None and eio_sid not in self._arriving:
                return self._open(eio_sid, packet[1:])
            if packet == b"1":
                self._leave(eio_sid, self.reason.CLIENT_DISCONNECT)
                return None
            if kind == b"3" and packet[1:2] != b"/":
                return None  # we ask for no acknowledgements, so that one is noise, and no fault
        except frames.BadFrame as error:
            return self._transports.bad_frame(eio_sid, str(error))
        return self._transports.bad_frame(eio_sid, f"a packet of type {kind.decode()} that is not taken here")

    def _leave(self, eio_sid: str, reason: str) -> None:
        """End the connection of a session that may go on, and then has to CONNECT again."""
        if self._drop(eio_sid, reason):
            self._idle.opened(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        if reason == self.reason.CLIENT_DISCONNECT:
            self._transports.end_poll(eio_sid)
        self.environ.pop(eio_sid, None)
        self._arrivals.left(eio_sid)
        self._drop(eio_sid, reason)
        self._transports.forget(eio_sid)
        self._idle.ended(eio_sid)

    def _drop(self, eio_sid: str, reason: str) -> bool:
        """Forget the connection of a session; tell whether there was one."""
        connection = self._by_eio_sid.pop(eio_sid, None)
        if connection is None:
            return False
        self._expiry.forget(connection)
        closed = reason == self.reason.CLIENT_DISCONNECT
        self._connections.remove(connection, Cause.CLOSED if closed else Cause.CONNECTION_LOST)
        if debugging():
            log.debug("player_disconnected", player=connection.player.id, reason=reason)
        return True

    def _open(self, eio_sid: str, payload: bytes) -> Coroutine[Any, Any, object] | None:
        """Answer a CONNECT, and welcome who has sent it: a guest who is new at once, anybody else afterwards."""
        if eio_sid not in self.environ:
            return None  # the session has just ended
        try:
            said = reading.connect(payload)
        except frames.BadFrame as error:
            return self._transports.bad_frame(eio_sid, str(error))
        address = self._arrivals.address_of(eio_sid)
        try:
            self._arrivals.connect(eio_sid)
            if isinstance(said, Refused):
                raise said
            require_spoken(said.protocol)
            token = said.token or bearer_token(self.environ[eio_sid])
            if token:
                self._arriving.add(eio_sid)
                return self._admit(eio_sid, token, address)
            self._welcome.say(self._connect(eio_sid, self._admission.admit_stranger(address), address), [])
        except Refused as refusal:
            return self._refuse(eio_sid, refusal, address)
        return None

    async def _admit(self, eio_sid: str, token: str, address: str) -> None:
        """Let in who presents a token with CONNECT, and tell which matches wait."""
        try:
            identity = await self._admission.admit(token, address)
            # Once more: a ban while the database was asked has met no connection.
            self._admission.check(identity)
        except Refused as refusal:
            await self._refuse(eio_sid, refusal, address)
            return
        finally:
            self._arriving.discard(eio_sid)
        if not self._transports.is_open(eio_sid):
            return
        connection = self._connect(eio_sid, identity, address)
        try:
            matches = await self._welcome.live_matches(identity.player.id)
        except Refused:
            # It comes back by itself, and then hears of all its matches.
            await self._transports.cut(eio_sid, WSCloseCode.TRY_AGAIN_LATER, "the database is away")
        except Exception:
            log.exception("welcome_failed")
            await self._transports.cut(eio_sid, WSCloseCode.INTERNAL_ERROR, "a fault of the server")
        else:
            self._welcome.say(connection, matches)

    async def _refuse(self, eio_sid: str, refusal: Refused, address: str) -> None:
        """Answer a CONNECT that is refused."""
        self._refusals.note(refusal.code, command="connect", address=address)
        if refusal.retry:  # a stock client gives up on a CONNECT_ERROR; after this it comes back
            await self._transports.cut(eio_sid, WSCloseCode.TRY_AGAIN_LATER, refusal.code)
        else:
            self._send(eio_sid, frames.connect_error(refusal))

    def _connect(self, eio_sid: str, identity: Identity, address: str) -> Connection:
        """Make a connection of a session, and tell it so."""
        connection = Connection(eio_sid, identity, self.eio.sockets[eio_sid], address, self._limits.connection())
        self._by_eio_sid[eio_sid] = connection
        self._idle.admitted(eio_sid)
        self._send(eio_sid, frames.connected(self.eio.generate_id()))
        self._connections.add(connection)
        self._expiry.watch(connection)
        if debugging():
            log.debug("player_connected", player=identity.player.id, address=address)
        return connection

    def _send(self, eio_sid: str, packet: bytes) -> None:
        """Send a session what is of no connection."""
        if self._transports.is_open(eio_sid):
            self.eio.sockets[eio_sid].queue.send(packet)

    async def _renew(self, connection: Connection, token: str) -> TokenRefreshed:
        """Let a connection last as long as a newer token of the same player. Raises `Refused`."""
        identity = await self._admission.readmit(token, connection.address, connection.identity)
        if self._by_eio_sid.get(connection.eio_sid) is connection:
            connection.identity = replace(identity, guest_token=None)
            self._expiry.watch(connection)
        return TokenRefreshed(identity.expires_at, identity.guest_token)

    async def dismiss_player(self, player_id: str, why: Refused) -> None:
        """Send all connections of a player away, and tell them why."""
        leaving = list(self._connections.of(player_id))
        for connection in leaving:
            self._refusals.note(why.code, command="connect", address=None)
            connection.send(frames.refusal_event(why, "connect"))
        await asyncio.gather(*(self.dismiss(connection, why.code) for connection in leaving))

    async def dismiss(self, connection: Connection, reason: str) -> None:
        """Send a connection away, so that a stock client does not come back by itself with what it came with.

        It gets the Socket.IO disconnect packet, and nothing more of it is carried out; its line is closed as soon as
        the packet is on its way, or nobody takes it.
        """
        eio_sid = connection.eio_sid
        if self._by_eio_sid.get(eio_sid) is not connection:
            return
        try:
            connection.send(b"1")
            self._leave(eio_sid, self.reason.SERVER_DISCONNECT)
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.written(), FAREWELL_S)
            if eio_sid not in self._by_eio_sid and eio_sid not in self._arriving:  # else it is in use again
                await self._transports.cut(eio_sid, WSCloseCode.POLICY_VIOLATION, reason)
        except Exception:
            log.exception("dismissal_failed")
