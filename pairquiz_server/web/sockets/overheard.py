"""A line whose packets are logged, as python-engineio logs those of a session that is polled (`log.engineio`).

Which of the two a websocket gets is decided at its handshake, so that all others pay nothing for it. Tokens and answer
keys are taken out where lines are written (`logs`).
"""

from aiohttp import WSMsgType

from pairquiz_server.logs import library_loggers
from pairquiz_server.web.sockets import framing
from pairquiz_server.web.sockets.line import Line
from pairquiz_server.web.sockets.reading import Message

_log = library_loggers()[1]


class OverheardLine(Line):
    """A line that logs what comes, when it comes, and what is sent."""

    __slots__ = ()

    def frame(self, message: Message, size: int) -> None:
        """Take the next frame."""
        if message[0] is WSMsgType.TEXT:
            _log.info("%s: Received packet %s", self.eio_sid, message[1].decode(errors="replace"))
        super().frame(message, size)

    def send(self, packet: bytes) -> None:
        """Put a Socket.IO packet on its way."""
        _log.info("%s: Sending packet 4%s", self.eio_sid, packet.decode())
        super().send(packet)

    def send_frame(self, kind: int, data: bytes) -> None:
        """Put a frame of the websocket on its way."""
        if kind == framing.TEXT:
            _log.info("%s: Sending packet %s", self.eio_sid, data.decode(errors="replace"))
        super().send_frame(kind, data)
