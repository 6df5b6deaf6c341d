"""The contract as it is served, and the versions that are spoken."""

import re
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.contract.asyncapi import asyncapi
from pairquiz_server.contract.openapi import openapi
from pairquiz_server.protocol.rest import ROUTES
from pairquiz_server.protocol.versions import PROTOCOL_VERSION
from tests.client import connected
from tests.conftest import Server
from tests.web.rest import PAGE, Rest

SHARED = pytest.mark.asyncio(loop_scope="session")
pytestmark = SHARED


@pytest.mark.parametrize(("path", "document"), [("/openapi.json", openapi), ("/asyncapi.json", asyncapi)])
async def test_the_contract_is_served_and_sent_once(rest: Rest, path: str, document: Any) -> None:
    async with ClientSession() as session:
        async with session.get(rest.url + path, headers={"Origin": PAGE}) as response:
            assert await response.json() == document()
            assert response.headers["Access-Control-Allow-Origin"] == PAGE
            known = response.headers["ETag"]
        async with session.get(rest.url + path, headers={"If-None-Match": known}) as response:
            assert (response.status, await response.read(), response.headers["ETag"]) == (304, b"", known)
        async with session.get(rest.url + path, headers={"If-None-Match": '"another"'}) as response:
            assert (response.status, await response.json()) == (200, document())


@pytest.mark.parametrize("name", ROUTES)
async def test_every_route_of_the_contract_is_there(rest: Rest, name: str) -> None:
    row = ROUTES[name]
    plain = re.sub(r"{\w+}", "x", row.path)
    for path in (plain, f"{plain}/"):
        async with ClientSession() as session, session.request(row.method, rest.url + path) as response:
            assert response.status != 405
            assert "nothing at this path" not in await response.text()


@pytest.mark.parametrize("claimed", [PROTOCOL_VERSION, None])
async def test_who_speaks_the_version_is_let_in(shared_server: Server, claimed: object) -> None:
    async with connected(shared_server.url, auth={"protocol": claimed}) as client:
        assert client.welcome["protocol"] == PROTOCOL_VERSION


@pytest.mark.parametrize("claimed", [PROTOCOL_VERSION + 1, 0, -1, 10**30, str(PROTOCOL_VERSION), 1.5, True, [], {}])
async def test_who_speaks_another_version_is_told_which_are_spoken(shared_server: Server, claimed: object) -> None:
    async with connected(shared_server.url, auth={"protocol": claimed}, welcome=False) as client:
        refusal = await client.event("connect_error")
        assert refusal["data"] == {"code": "unsupported_protocol", "retry": False, "protocols": [PROTOCOL_VERSION]}
        assert str(PROTOCOL_VERSION) in refusal["message"]
