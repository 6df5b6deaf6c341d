"""One list of origins, for websockets, polls and REST alike."""

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from pairquiz_server.web.guard.origins import Origins
from tests.client import connected
from tests.conftest import Server, StartServer
from tests.web.conftest import SECRET
from tests.web.raw import Raw

PAGE, OTHER, OWN = "https://page.example", "https://other.example", "http://{host}"


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ([PAGE], None, True),
        ([PAGE], PAGE, True),
        ([PAGE], OTHER, False),
        ([PAGE], PAGE + ".evil.example", False),
        ([PAGE], PAGE + ":8443", False),
        ([PAGE], "http://page.example", False),
        ([PAGE], "https://own.example", True),
        ([PAGE], "HTTPS://OWN.example", True),
        ([PAGE], "https://own.example:1", False),
        ([PAGE], "null", False),
        (["null"], "null", True),
        (["null"], PAGE, False),
        ([], None, True),
        ([], "http://own.example", True),
        ([], PAGE, False),
        ([], "null", False),
        (["*"], OTHER, True),
        (["*"], "null", False),
        (["*", "null"], "null", True),
        ([], "", False),
        ([], "own.example", False),
        ([], "http://[", False),
        (["*"], "http://[", True),
        ([PAGE], "https://page.example.", False),
        ([PAGE], "https://page.example:443", False),
        ([PAGE], "https://PAGE.example", False),
        ([PAGE], "https://page.example/", False),
        ([PAGE], " https://page.example", False),
        ([PAGE], f"{PAGE} {OTHER}", False),
        ([PAGE], f"{PAGE}, {OTHER}", False),
        ([PAGE], "https://page.example@other.example", False),
        ([PAGE], "https://page.examplé", False),
        ([PAGE], "wss://page.example", False),
        ([PAGE], "https://www.own.example", False),
        ([PAGE], "https://own.example.", False),
        ([PAGE], "NULL", False),
        (["https://page.example:8443"], "https://page.example:8443", True),
        (["https://page.example:8443"], PAGE, False),
        (["https://xn--bcher-kva.example"], "https://xn--bcher-kva.example", True),
        (["https://xn--bcher-kva.example"], "https://bücher.example", False),
        ([PAGE, "null"], "null", True),
    ],
)
def test_an_origin_is_allowed_or_not(listed: list[str], origin: str | None, allowed: bool) -> None:
    assert Origins(listed).allows(origin, "own.example") is allowed


@pytest.mark.parametrize(
    ("host", "origin", "own"),
    [
        ("own.example:8000", "http://own.example:8000", True),
        ("own.example:8000", "http://own.example", False),
        ("own.example:8000", "http://own.example:8001", False),
        ("own.example:443", "https://own.example", True),
        ("own.example:443", "http://own.example", False),
        ("own.example:80", "http://own.example", True),
        ("own.example.", "https://own.example.", True),
        ("own.example.", "https://own.example", False),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]", "http://[::1]", True),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example", True),
        ("bücher.example", "https://xn--bcher-kva.example", False),
    ],
)
def test_the_own_origin_is_the_host_that_a_browser_asked(host: str, origin: str, own: bool) -> None:
    assert Origins([]).allows(origin, host) is own


def test_a_request_without_a_host_has_no_own_origin() -> None:
    assert not Origins([]).allows("http://", None)
    assert not Origins([]).allows("http://", "")


async def open_to(server: Server, origin: str | None) -> tuple[bool, bool, bool, bool]:
    """Tell whether a page of this origin gets through: by websocket, by poll, by REST, and by a preflight."""
    headers = {} if origin is None else {"Origin": origin.format(host=server.url.removeprefix("http://"))}
    asking = {**headers, "Access-Control-Request-Method": "POST"}
    try:
        async with connected(server.url, **headers):
            websocket = True
    except WSServerHandshakeError as refusal:
        websocket = refusal.status != 403
    async with ClientSession() as session:
        async with session.get(f"{server.url}/socket.io/?EIO=4&transport=polling", headers=headers) as response:
            assert response.status in (200, 403)
            poll = response.status == 200
            assert response.headers.get("Access-Control-Allow-Origin") == (headers.get("Origin") if poll else None)
        async with session.get(f"{server.url}/healthz", headers=headers) as response:
            assert response.status in (200, 403)
            rest = response.status == 200
        async with session.options(f"{server.url}/healthz", headers=asking) as response:
            assert response.status in (200, 403)
            preflight = response.status == 200
    return websocket, poll, rest, preflight


@pytest.mark.parametrize(
    ("listed", "allowed", "refused"),
    [
        (f'["{PAGE}"]', [PAGE], [OTHER, "null", "http://["]),
        ('["*"]', [PAGE, OTHER, "http://["], ["null"]),
        ('["null"]', ["null"], [PAGE]),
        ("[]", [], [PAGE, "null"]),
    ],
)
async def test_a_page_is_served_if_its_origin_is_allowed(
    start_server: StartServer, listed: str, allowed: list[str], refused: list[str]
) -> None:
    server = await start_server(PAIRQUIZ_SERVER__ALLOWED_ORIGINS=listed)
    for origin in allowed:
        assert await open_to(server, origin) == (True, True, True, True), origin
    for origin in refused:
        assert await open_to(server, origin) == (False, False, False, False), origin
    # A request without an origin comes from no page, and so has no preflight; a page of the server's own needs none.
    assert (await open_to(server, None))[:3] == (True, True, True)
    assert (await open_to(server, OWN))[:3] == (True, True, True)


async def test_an_origin_that_is_no_text_is_refused_like_any_other(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_SERVER__ALLOWED_ORIGINS=f'["{PAGE}"]')
    for path in ("/socket.io/?EIO=4&transport=polling", "/ws/", "/healthz"):
        async with Raw(server.url) as raw:
            await raw.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nOrigin: http://".encode() + b"\xff\r\n\r\n")
            status, error = await raw.error()
            assert (status, error["code"]) == (403, "forbidden")


@pytest.mark.asyncio(loop_scope="session")
async def test_where_guests_play_every_page_may_come(shared_server: Server) -> None:
    assert shared_server.settings.allowed_origins == ("*",)


async def test_where_tokens_are_required_only_the_pages_of_developers_may_come(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    async with ClientSession() as session:
        for host in ("localhost", "127.0.0.1"):
            for port in (3000, 8081):
                headers = {"Origin": f"http://{host}:{port}"}
                async with session.get(f"{server.url}/healthz", headers=headers) as response:
                    assert response.status == 200
                    assert response.headers["Access-Control-Allow-Origin"] == headers["Origin"]
        async with session.get(f"{server.url}/healthz", headers={"Origin": PAGE}) as response:
            assert response.status == 403
