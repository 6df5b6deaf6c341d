"""The query of a Socket.IO request is read in one way, by us and by python-engineio."""

import json

import pytest
from aiohttp import ClientSession

from tests.conftest import Server
from tests.web.polling import polling

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("path", ["/socket.io/", "/ws/"])
@pytest.mark.parametrize(
    "query",
    [
        "EIO=4&EIO=4&transport=polling",
        "EIO=4&transport=polling&transport=websocket",
        "EIO=4&transport=polling&sid=",
        "EIO=4&transport=polling&sid=&s%69d=x",
        "EIO=4&transport=polling&sid=a&sid=b",
        "EIO=&transport=polling",
        "EIO=4&transport=",
        "EIO=4&transport=polling&j=0",
        "EIO=4&transport=polling&j",
    ],
)
async def test_a_query_that_can_be_read_in_two_ways_and_jsonp_are_refused(
    shared_server: Server, path: str, query: str
) -> None:
    async with ClientSession() as session:
        for method in ("GET", "POST"):
            async with session.request(method, f"{shared_server.url}{path}?{query}") as response:
                assert response.status == 400
                assert (await response.json())["error"]["code"] == "invalid_payload"


async def test_one_player_cannot_post_in_the_name_of_anothers_session(shared_server: Server) -> None:
    async with polling(shared_server.url) as one, polling(shared_server.url) as other, ClientSession() as session:
        for poller in (one, other):
            await poller.event("welcome")
        url = f"{one.here}&sid={other.sid}"
        async with session.post(url, data='42["create_pair_quiz",{}]') as response:
            assert response.status == 400
        for poller in (one, other):
            await poller.ask("sync_clock")
            assert not any("quiz_created" in packet for packet in poller.packets)


async def test_keys_that_mean_nothing_are_not_looked_at(shared_server: Server) -> None:
    async with ClientSession() as session:
        url = f"{shared_server.url}/socket.io/?EIO=4&transport=polling&t=a&t=b&b64=1&x=%ff"
        async with session.get(url) as response:
            assert response.status == 200
            assert "sid" in json.loads((await response.text())[1:])
