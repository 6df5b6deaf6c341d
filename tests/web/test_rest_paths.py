"""Paths and methods, known and unknown, as a page on another origin sees them."""

import pytest
from aiohttp import ClientSession

from tests.web.rest import CREATE, JOIN, PAGE, SLASH, Rest

pytestmark = pytest.mark.asyncio(loop_scope="session")


@SLASH
async def test_anybody_reads_the_topics_and_whether_the_server_is_well(rest: Rest, slash: str) -> None:
    status, body = await rest.call("GET", f"/api/topics{slash}")
    assert status == 200
    assert body.keys() == {"topics"}
    assert all(topic.keys() == {"name", "questions"} for topic in body["topics"])
    assert "General" in [topic["name"] for topic in body["topics"]]
    assert await rest.call("GET", f"/healthz{slash}") == (200, {"status": "ok"})
    status, body = await rest.call("GET", f"/readyz{slash}")
    assert (status, body["status"]) == (200, "ok")
    assert body["checks"] == dict.fromkeys(["database", "migrations", "durability", "draining"], "ok")


ALLOWED = {
    CREATE: "POST",
    JOIN: "POST",
    "/api/pair-quiz/01234567-89ab-4cde-8f01-23456789abcd": "GET, HEAD",
    "/api/pair-quiz/history": "GET, HEAD",
    "/api/pair-quiz/01234567-89ab-4cde-8f01-23456789abcd/head-to-head": "GET, HEAD",
    "/api/players/somebody": "GET, HEAD",
    "/api/leaderboards/all": "GET, HEAD",
    "/api/topics": "GET, HEAD",
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
}


@SLASH
@pytest.mark.parametrize(("path", "allowed"), ALLOWED.items())
async def test_a_path_refuses_the_methods_that_it_does_not_take(
    rest: Rest, path: str, allowed: str, slash: str
) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
        error = await rest.refused(405, "method_not_allowed", method, path + slash)
        assert error["message"] == f"This path takes {allowed}"
        async with ClientSession() as session, session.request(method, rest.url + path) as response:
            assert sorted(response.headers["Allow"].replace(" ", "").split(",")) == allowed.split(", ")


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api/", "/api/pair-quiz/", "/socket.io", "/ws/x", "/healthz//", "/pair-quiz/", "/pair-quiz/x/y"],
)
async def test_an_unknown_path_is_not_found_by_any_method(rest: Rest, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        await rest.refused(404, "not_found", method, path)


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/readyz/", 200), ("/api/topics", 200), (CREATE, 405), ("/nothing", 404)]
)
async def test_head_is_get_without_a_body(rest: Rest, path: str, status: int) -> None:
    assert await rest.call("HEAD", path) == (status, None)


@pytest.mark.parametrize("path", [*ALLOWED, CREATE + "/", "/nothing"])
async def test_a_page_asks_before_it_sends_a_token(rest: Rest, path: str) -> None:
    headers = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with ClientSession() as session, session.options(rest.url + path, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"].lower().split(",")
        assert {"authorization", "content-type"} <= set(allowed)


@pytest.mark.parametrize("headers", [{}, {"Origin": PAGE}])
async def test_options_that_ask_nothing_are_forbidden(rest: Rest, headers: dict[str, str]) -> None:
    async with ClientSession() as session, session.options(rest.url + CREATE, headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "forbidden"
