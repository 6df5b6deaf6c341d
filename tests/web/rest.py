"""REST calls of one player, from a page on another origin."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.fits import response_fits

CREATE, JOIN = "/api/pair-quiz/create", "/api/pair-quiz/join"
SLASH = pytest.mark.parametrize("slash", ["", "/"], ids=["no slash", "slash"])
PAGE = "https://page.example"


class Rest:
    """Makes the calls; every answer is JSON, and carries its CORS headers."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        sent = {"Origin": PAGE, **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self._session.request(method, self.url + path, data=body, headers=sent) as response:
            assert response.headers["Access-Control-Allow-Origin"] == PAGE
            assert response.content_type == "application/json"
            text = await response.text()
            answer = json.loads(text) if text else None
            if answer is not None:
                response_fits(method, path, response.status, answer)
            return response.status, answer

    async def refused(self, status: int, code: str, method: str, path: str, **wishes: Any) -> dict[str, Any]:
        answered, body = await self.call(method, path, **wishes)
        assert (answered, body["error"]["code"]) == (status, code), body
        assert body.keys() == {"error"}
        assert {"code", "message", "retry"} <= body["error"].keys()
        error: dict[str, Any] = body["error"]
        return error
