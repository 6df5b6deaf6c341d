"""Two nodes behind a real proxy, and official clients that come through it, by each transport."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import AT_ONCE
from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving
from tests.proxies import BALANCERS, TESTED_AS, Balancer
from tests.web.duel import answering
from tests.web.valkey import valkey

TRANSPORTS = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgraded": ["polling", "websocket"],
    "websocket, else polling": ["websocket", "polling"],
}
ADDRESSES = [f"10.0.0.{number}" for number in range(1, 33)]
Nodes = dict[str, Server]
"""By the region that each says in its `welcome`."""


@pytest.fixture
async def regions(database_url: str, tmp_path: Path) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(valkey(tmp_path))
        shared = {"REDIS_URL": redis.url, "PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1", **AT_ONCE}
        nodes = {
            name: await stack.enter_async_context(
                serving(database_url, tmp_path / f"{name}.log", **shared, PAIRQUIZ_SERVER__REGION=name)
            )
            for name in ("a", "b")
        }
        for node in nodes.values():
            await node.until_ready()
        yield nodes


class Proxied:
    """A proxy, and whoever comes through it, each from an address of its own."""

    def __init__(self, url: str, client_folder: Path, node: str) -> None:
        self._url, self._client_folder, self._node = url, client_folder, node
        self._addresses = iter(ADDRESSES * 4)

    async def player(self, stack: AsyncExitStack, transports: list[str], *, region: str) -> tuple[Player, Any]:
        """Come until it is to the node of a region."""
        for address in self._addresses:
            ours = await stack.enter_async_context(AsyncExitStack())
            player = await ours.enter_async_context(
                playing(
                    self._client_folder,
                    self._node,
                    self._url,
                    keeps_token=True,
                    transports=transports,
                    extraHeaders={TESTED_AS: address},
                )
            )
            welcome = await player.event("welcome")
            if welcome["region"] == region:
                return player, welcome
            await ours.aclose()
        raise AssertionError(f"nobody came to {region}")


@pytest.mark.parametrize("balancer", BALANCERS.values(), ids=BALANCERS)
async def test_players_at_two_nodes_play_through_a_proxy_by_each_transport_and_go_on_when_one_node_is_killed(
    balancer: Balancer, regions: Nodes, client_folder: Path, node: str, tmp_path: Path
) -> None:
    folder = tmp_path / "proxy"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        ports = [int(server.url.rpartition(":")[2]) for server in regions.values()]
        proxied = Proxied(await stack.enter_async_context(balancer(folder, ports)), client_folder, node)
        pairs: list[tuple[Player, Player, Any]] = []
        for name, transports in TRANSPORTS.items():
            first, _ = await proxied.player(stack, transports, region="a")
            second, _ = await proxied.player(stack, transports, region="b")
            if name == "upgraded":
                for player in (first, second):
                    assert await player.event("upgraded") == "websocket"
            started = await duel(first, second)
            await first.ask("submit_answer", answering(started, 0))
            assert (await second.event("answer_submitted"))["player"] == "opponent"
            pairs.append((first, second, started))

        await regions["a"].kill()
        for first, second, started in pairs:
            while (await first.event("welcome"))["region"] != "b":
                pass
            assert (await first.event("quiz_state"))["session_id"] == started["session_id"]
            for place in (1, 2):
                assert (await first.ask("submit_answer", answering(started, place)))["ok"]
            for place in range(3):
                assert (await second.ask("submit_answer", answering(started, place)))["ok"]
            results = [await player.event("quiz_results") for player in (first, second)]
            assert results[0]["your_score"] == results[1]["opponent_score"]


async def duel(first: Player, second: Player) -> Any:
    """Start a duel of three questions, and return what both were told of it."""
    created = await first.ask("create_pair_quiz", {"question_count": 3})
    assert (await second.ask("join_pair_quiz", {"session_id": created["session_id"]}))["ok"]
    assert (await first.ask("start_quiz", {"session_id": created["session_id"]}))["ok"]
    started = await second.event("quiz_started")
    assert await first.event("quiz_started") == started
    return started
