"""How the bytes of a websocket become frames: aiohttp's reader, written in C, with nothing behind it that keeps them.

Frames that have to wait are kept by `Backlog`, which knows what they weigh.
"""

from collections import deque
from typing import Any, Protocol

from aiohttp import WSMsgType
from aiohttp._websocket.models import WSMessage, WSMessageTextBytes
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

FRAME_BYTES = 200
"""What a frame that waits costs beside its bytes."""

Message = WSMessage | WSMessageTextBytes
"""A frame as aiohttp's reader gives it: its kind, what it holds, and more."""
Frame = tuple[int, WSMsgType, Any]
"""When it arrived, its kind, and what it holds."""


class Hearer(Protocol):
    """Who hears of frames."""

    def frame(self, message: Message, size: int) -> None:
        """Take the next frame. What this raised would vanish."""

    def broken(self, error: BaseException) -> None:
        """Hear that what comes is no frame, or too large a message; nothing more is read."""


def reader(hearer: Hearer, message_bytes: int) -> WebSocketReader:
    """Return what takes bytes by `feed_data`, and tells `hearer` of each frame at once."""
    # aiohttp closes (1009) at its limit, and not only beyond.
    return WebSocketReader(_Frames(hearer), message_bytes + 1, compress=False, decode_text=False)


class _Frames(WebSocketDataQueue):
    """Where aiohttp's reader puts its frames: it calls `feed_data` for each, which is the hearer's own method."""

    __slots__ = ("_hearer", "feed_data")
    _size = _limit = 0
    """What the reader, where it is not the one in C, asks for: how much waits here, and how much may."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer  # and no deque: nothing is kept here
        self.feed_data = hearer.frame  # type: ignore[method-assign, assignment]

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Hear that what comes is no websocket frame."""
        self._hearer.broken(exc)

    def feed_eof(self) -> None:
        """Hear of the end."""


class Backlog:
    """The frames that wait while something is done, in their order. `size` is what they weigh, in bytes."""

    __slots__ = ("_frames", "size")

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self.size = 0

    def append(self, frame: Frame) -> None:
        """Let a frame wait."""
        self._frames.append(frame)
        self.size += _weight(frame)

    def put_back(self, frame: Frame) -> None:
        """Let a frame be the next one."""
        self._frames.appendleft(frame)
        self.size += _weight(frame)

    def take(self) -> Frame:
        """Return the next one."""
        frame = self._frames.popleft()
        self.size -= _weight(frame)
        return frame

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._frames)


def is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _weight(frame: Frame) -> int:
    return FRAME_BYTES + (len(frame[2]) if isinstance(frame[2], bytes) else 0)
