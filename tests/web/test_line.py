"""A websocket's own line: what is read in which order, what waits for what, and that nothing stays beside it."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from pairquiz_server.config.sections import Limits
from pairquiz_server.metrics import Metrics
from pairquiz_server.web.guard.buckets import Rate
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.sockets.intake import PIECE
from pairquiz_server.web.sockets.line import Line
from pairquiz_server.web.sockets.reading import FRAME_BYTES
from pairquiz_server.web.sockets.transport import Transports
from tests.web.stalls import text_frame

CLOSE_FRAME = b"\x88\x80" + bytes(4)


class PaperTransport(asyncio.Transport):
    """A transport that keeps what is written, and can be told that the network takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.unsent = 0
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Stage:
    """A session with a line, whose packets are taken by hand; one that begins with `2wait` has to be waited for."""

    def __init__(self, **limits: Any) -> None:
        self.settings = Limits(**limits)
        self.transports = Transports(Refusals(Metrics()), self.settings, lambda: Pace(Rate(0, 0), lambda: None), 10.0)
        reasons = SimpleNamespace(CLIENT_DISCONNECT="client", TRANSPORT_CLOSE="lost", TRANSPORT_ERROR="error")
        self.session: Any = SimpleNamespace(
            sid="session", connected=True, upgraded=True, upgrading=False, closed=False, last_ping=None,
            close=self._close,
        )  # fmt: skip
        self.transports.manage(SimpleNamespace(sockets={"session": self.session}, reason=reasons))
        self.now = 0
        self.transports.serve(self._take, lambda: self.now, lambda line: None)
        self.taken: list[tuple[bytes, int]] = []
        self.ended: list[str] = []
        self.done = asyncio.Event()
        self.transport = PaperTransport()
        self.line = self.session.queue = Line(self.session, self.transports, self.transports.new_pace())

    def open(self, tail: bytes = b"") -> None:
        self.line.open(self.transport, tail)

    def receive(self, *packets: str) -> None:
        self.now += 1
        self.line.data_received(b"".join(text_frame("4" + packet) for packet in packets))

    async def turn(self) -> None:
        """Let everything that can go on do so."""
        for _ in range(10):
            await asyncio.sleep(0)

    def packets(self) -> list[str]:
        return [packet.decode() for packet, _ in self.taken]

    def _take(self, eio_sid: str, packet: bytes, arrived_at: int) -> Coroutine[Any, Any, object] | None:
        self.taken.append((packet, arrived_at))
        return self.done.wait() if packet.startswith(b"2wait") else None

    async def _close(self, *, wait: bool, abort: bool, reason: str) -> None:
        self.session.closed = True
        self.ended.append(reason)


async def test_what_comes_is_carried_out_in_data_received_itself() -> None:
    stage = Stage()
    stage.open()
    stage.receive("2a", "2b")
    assert stage.packets() == ["2a", "2b"]


async def test_frames_that_came_with_the_handshake_come_first() -> None:
    stage = Stage()
    stage.open(tail=text_frame("42a") + text_frame("42b")[:5])
    stage.line.data_received(text_frame("42b")[5:])
    assert stage.packets() == ["2a", "2b"]


async def test_what_comes_behind_a_command_that_waits_keeps_its_order_and_its_time() -> None:
    stage = Stage()
    stage.open()
    stage.receive("2wait1", "2a")
    stage.receive("2b", "2wait2", "2c")
    stage.receive("2d")
    assert stage.packets() == ["2wait1"]
    assert stage.transport.reading
    stage.done.set()
    await stage.turn()
    assert stage.packets() == ["2wait1", "2a", "2b", "2wait2", "2c", "2d"]
    assert [at for _, at in stage.taken] == [1, 1, 2, 2, 2, 3]
    stage.receive("2e")
    assert stage.packets()[-1] == "2e"


async def test_what_waits_is_bounded_and_the_rest_is_read_when_there_is_room() -> None:
    stage = Stage(message_bytes=8192)
    stage.open()
    stage.receive("2wait")
    count = 5000
    stage.receive(*(f"2{number:04}" for number in range(count)))
    assert not stage.transport.reading
    assert stage.line._backlog is not None
    assert stage.line._backlog.size <= 8192 + PIECE * FRAME_BYTES
    assert len(stage.line._rest) > count * 10
    stage.done.set()
    await stage.turn()
    assert stage.packets() == ["2wait", *(f"2{number:04}" for number in range(count))]
    assert stage.transport.reading
    assert (stage.line._backlog, stage.line._rest) == (None, b"")


async def test_a_line_that_is_cut_while_a_command_waits_carries_out_nothing_more() -> None:
    stage = Stage()
    stage.open()
    stage.receive("2wait", "2a")
    stage.line.connection_lost(None)
    stage.done.set()
    await stage.turn()
    assert stage.packets() == ["2wait"]
    assert stage.ended == ["lost"]
    stage.line.send(b"2late")
    await stage.turn()
    assert stage.transport.written == []


async def test_a_line_that_the_server_closes_while_a_command_waits_hears_the_clients_close() -> None:
    stage = Stage()
    stage.open()
    stage.receive("2wait", "2a")
    closing = asyncio.create_task(stage.line.close_with(1012, "again"))
    await stage.turn()
    assert stage.transport.written == [b"\x88\x07\x03\xf4again"]
    stage.line.data_received(text_frame("42b") + CLOSE_FRAME)
    assert stage.transport.closed
    stage.line.connection_lost(None)
    await closing
    stage.done.set()
    await stage.turn()
    assert stage.packets() == ["2wait"]
    assert stage.ended == ["lost"], "who is sent away has not gone"


async def test_a_clients_close_is_found_behind_all_that_was_not_read_yet() -> None:
    stage = Stage(message_bytes=8192)
    stage.open()
    stage.receive("2wait")
    stage.line.data_received(text_frame("42a") * 5000 + CLOSE_FRAME)
    assert stage.line._rest
    assert not stage.transport.closed
    stage.line.close(1012, "again")
    assert stage.transport.closed
    assert stage.packets() == ["2wait"]
    stage.line.connection_lost(None)


async def test_a_client_that_closes_is_answered_and_has_gone() -> None:
    stage = Stage()
    stage.open()
    stage.line.data_received(CLOSE_FRAME)
    assert stage.transport.written == [b"\x88\x02\x03\xe8"]
    assert stage.transport.closed
    stage.line.connection_lost(None)
    await stage.turn()
    assert stage.ended == ["client"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xc1\x80" + bytes(4), 1002),  # a bit that is reserved
        (b"\x83\x80" + bytes(4), 1002),  # an unknown kind
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1009),
        (b"\x81\x84" + bytes(4) + b"42\xff\xfe", 1007),
        (b"\x81\x81" + bytes(4) + b"\xff", 1007),
    ],
)
async def test_what_is_no_frame_closes_with_its_code(data: bytes, code: int) -> None:
    stage = Stage()
    stage.open()
    stage.line.data_received(data)
    assert stage.transport.written[0][2:4] == code.to_bytes(2, "big")
    stage.receive("2a")
    assert stage.packets() == []


async def test_a_line_is_read_on_after_a_broken_frame_so_that_its_client_comes_to_the_close() -> None:
    stage = Stage()
    stage.open()
    stage.line.data_received(text_frame("42a") + b"\xc1" + bytes(3 * PIECE))
    assert stage.packets() == ["2a"]
    assert stage.transport.written[0][2:4] == (1002).to_bytes(2, "big")
    assert stage.transport.reading
    stage.line.connection_lost(None)


async def test_what_is_sent_within_a_turn_leaves_by_one_write() -> None:
    stage = Stage()
    stage.open()
    for packet in (b"2a", b"2" + b"b" * 200, b"2" + b"c" * 70_000):
        stage.line.send(packet)
    assert stage.transport.written == []
    await stage.turn()
    (written,) = stage.transport.written
    assert written == (
        b"\x81\x03" + b"42a"
        + b"\x81\x7e\x00\xca" + b"42" + b"b" * 200
        + b"\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x72" + b"42" + b"c" * 70_000
    )  # fmt: skip
    stage.line.beat(0)
    stage.line.ping(b"17")
    assert stage.transport.written[1:] == [b"\x81\x01" + b"2" + b"\x89\x02" + b"17"], "what is measured goes at once"
    await stage.turn()
    assert len(stage.transport.written) == 2


async def test_a_line_whose_network_takes_too_little_is_cut_once_too_much_waits() -> None:
    stage = Stage(send_queue_bytes=1000)
    stage.open()
    stage.transport.unsent = 5000
    stage.line.send(b"2a")
    await stage.turn()
    assert not stage.transport.closed, "nobody asks before the transport has told"
    stage.line.pause_writing()
    stage.transport.unsent = 1000
    stage.line.send(b"2b")
    await stage.turn()
    assert not stage.transport.closed
    stage.transport.unsent = 1001
    stage.line.send(b"2c")
    await stage.turn()
    assert stage.transport.closed
    assert stage.ended == ["error"]


async def test_a_fault_of_the_server_closes_the_line_with_1011(log: io.StringIO) -> None:
    stage = Stage()
    stage.transports.take = lambda eio_sid, packet, arrived_at: None if packet == b"2a" else _fault()
    stage.open()
    stage.receive("2a", "2b", "2c")
    assert stage.transport.written[0][2:4] == (1011).to_bytes(2, "big")
    assert log.getvalue().count("frame_failed") == 1
    log.seek(0)
    log.truncate()  # else the traceback would be a fault of the test


async def test_a_fault_of_the_server_behind_what_was_waited_for_closes_the_line_too(log: io.StringIO) -> None:
    stage = Stage()
    stage.open()
    stage.receive("2wait", "2b")
    stage.transports.take = lambda eio_sid, packet, arrived_at: _fault()
    stage.done.set()
    await stage.turn()
    assert stage.transport.written[0][2:4] == (1011).to_bytes(2, "big")
    assert log.getvalue().count("frame_failed") == 1
    log.seek(0)
    log.truncate()
    stage.line.connection_lost(None)


async def test_behind_the_close_nothing_more_is_sent() -> None:
    stage = Stage()
    stage.open()
    stage.line.send(b"2a")
    stage.line.close(1012, "again")
    stage.line.send(b"2b")
    stage.line.beat(0)
    await stage.turn()
    assert stage.transport.written == [b"\x81\x03" + b"42a" + b"\x88\x07" + (1012).to_bytes(2, "big") + b"again"]
    stage.line.connection_lost(None)


async def test_a_line_that_cannot_be_written_to_takes_nothing_from_the_others(log: io.StringIO) -> None:
    stage, other = Stage(), Stage()
    other.line._turn = stage.transports.turn
    for one in (stage, other):
        one.open()
    stage.transport.write = _fault  # type: ignore[method-assign, assignment]
    stage.line.send(b"2a")
    other.line.send(b"2a")
    await stage.turn()
    assert other.transport.written == [b"\x81\x03" + b"42a"]
    assert log.getvalue().count("write_failed") == 1
    log.seek(0)
    log.truncate()


def test_frames_are_read_where_aiohttp_has_no_extension_in_c() -> None:
    code = (
        "import aiohttp.http_websocket as theirs; from types import SimpleNamespace as Hearer;"
        "from pairquiz_server.web.sockets.reading import reader;"
        "assert theirs.WebSocketReader.__module__.endswith('reader_py');"
        "reader(Hearer(frame=print, broken=print), 100).feed_data(bytes([129, 130, 0, 0, 0, 0, 52, 50]))"
    )
    environ = {**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert "data=b'42'" in run.stdout, run


def _fault(*_: object) -> None:
    raise ZeroDivisionError
