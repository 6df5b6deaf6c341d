"""What waits for polls is counted until it is taken, and has an end."""

import asyncio

import pytest
from engineio.packet import MESSAGE, PING, Packet

from pairquiz_server.web.guard.buckets import Rate
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.sockets.send_queue import PACKET_BYTES, SendQueue, weight


def queue(limit: int) -> tuple[SendQueue, list[SendQueue]]:
    cut: list[SendQueue] = []
    return SendQueue(limit, cut.append, Pace(Rate(0, 0), lambda: None)), cut


async def test_what_a_poll_has_taken_counts_until_the_next_one() -> None:
    packets, cut = queue(10_000)
    for _ in range(5):
        packets.put_nowait(Packet(MESSAGE, "x" * 100))
    each = PACKET_BYTES + 100
    assert packets.size == 5 * each
    taken = [await packets.get(), packets.get_nowait()]
    assert packets.size == 5 * each
    assert None not in taken
    await packets.get()
    assert packets.size == 3 * each
    packets.send("é".encode())
    await packets.get()  # a new round: the one before is out
    assert packets.size == 2 * each + PACKET_BYTES + 2
    assert cut == []


async def test_a_queue_over_its_limit_is_cut_once_and_empty() -> None:
    packets, cut = queue(10 * (PACKET_BYTES + 100))
    for _ in range(9):
        packets.put_nowait(Packet(MESSAGE, "x" * 100))
    await packets.get()
    packets.put_nowait(Packet(MESSAGE, "x" * 100))
    assert cut == []
    for _ in range(3):
        packets.put_nowait(Packet(MESSAGE, "x" * 100))
    assert cut == [packets]
    assert await packets.get() is None
    assert packets.empty()
    for _ in range(10):
        packets.task_done()
        if packets._unfinished_tasks == 0:  # type: ignore[attr-defined]
            break
    await asyncio.wait_for(packets.join(), 10)


async def test_a_queue_without_a_limit_is_never_cut() -> None:
    packets, cut = queue(0)
    for _ in range(1000):
        packets.put_nowait(Packet(MESSAGE, "x" * 10_000))
    assert cut == []


@pytest.mark.parametrize(
    ("packet", "size"), [(Packet(PING), 0), (Packet(MESSAGE, "xé"), 3), (Packet(MESSAGE, "\ud800"), 1)]
)
def test_text_counts_as_it_is_written(packet: Packet, size: int) -> None:
    assert weight(packet.data) == PACKET_BYTES + size
