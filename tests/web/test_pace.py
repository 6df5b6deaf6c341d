"""Frames that cost nothing to send: who floods with them is read more slowly, and loses nothing but time."""

import asyncio

import pytest

from pairquiz_server.web.sockets.line import Line
from tests.client import connected
from tests.conftest import StartServer
from tests.web.polling import polling
from tests.web.test_arrivals import until
from tests.web.test_limits import limited, limits

FRAMES_A_S = 200
SEGMENT_MAX = 1 << 18
"""What a loop reads at once."""


@pytest.mark.parametrize("frame", ["3", "431[]"], ids=["a pong", "an acknowledgement that nobody asked for"])
async def test_a_flood_of_frames_is_read_at_its_pace_and_neighbours_play_on(
    start_server: StartServer, frame: str
) -> None:
    server = await start_server(**limits(frames_per_s=FRAMES_A_S))
    loop = asyncio.get_running_loop()
    async with connected(server.url) as flooder, connected(server.url) as neighbour:
        began = loop.time()
        for _ in range(2 * FRAMES_A_S):
            await flooder.send_frame(frame)
        answer = asyncio.ensure_future(flooder.ask("sync_clock"))
        assert (await neighbour.ask("sync_clock"))["ok"]
        assert not answer.done()
        assert (await answer)["ok"]
        assert loop.time() - began > 0.9, "half of them had to wait"
    assert await limited(server.url, "frames_per_s") > 0


async def test_packets_that_come_by_post_have_the_same_pace(start_server: StartServer) -> None:
    server = await start_server(**limits(frames_per_s=FRAMES_A_S))
    async with polling(server.url) as flooder, connected(server.url) as neighbour:
        flood = asyncio.ensure_future(flooder.post(*["431[]"] * 2 * FRAMES_A_S, '427["sync_clock",{}]'))
        assert (await neighbour.ask("sync_clock"))["ok"]
        assert (await flood).status == 200
        await flooder.next_packet('437[{"ok":true')
    assert await limited(server.url, "frames_per_s") > 0


async def test_a_pace_of_zero_is_no_limit(start_server: StartServer) -> None:
    server = await start_server(**limits(frames_per_s=0))
    async with connected(server.url) as flooder:
        for _ in range(1000):
            await flooder.send_frame("3")
        assert (await flooder.ask("sync_clock"))["ok"]
    assert await limited(server.url, "frames_per_s") == 0


async def test_what_has_come_and_is_not_read_yet_is_bounded(start_server: StartServer) -> None:
    server = await start_server(**limits(frames_per_s=1))
    async with connected(server.url) as flooder:
        sending = asyncio.gather(*(flooder.send_frame("43" + "x" * 4000) for _ in range(500)))
        (line,) = server.running.transports._websockets
        assert isinstance(line, Line)
        await until(lambda: line.transport is not None and not line.transport.is_reading())
        assert line._backlog is not None
        assert line._backlog.size + len(line._rest) < 2 * server.settings.limits.message_bytes + SEGMENT_MAX
        sending.cancel()
