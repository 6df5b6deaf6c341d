"""`GET /metrics`: to this machine alone, and to whoever has the token."""

import asyncio
import hmac
import ipaddress

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pairquiz_server.engine.census import Census
from pairquiz_server.engine.health import Health
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.identity.admission import bearer_token
from pairquiz_server.web.rest.routes import Route, by_contract

_COME_FROM_AFAR = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "Origin")
"""Headers of proxies and of pages: a request that has one is not this machine's own, whoever is at the other end."""


class Exposition:
    """The handler of the metrics. `token` is None where they are for this machine alone.

    Behind proxies (`proxied`) nobody is local: one on this machine may add no header at all, as nginx does unasked.
    """

    def __init__(self, metrics: Metrics, health: Health, census: Census, token: str | None, *, proxied: bool) -> None:
        self._metrics = metrics
        self._health = health
        self._census = census
        self._checks: dict[str, bool] = {}
        metrics.ready.read = lambda: self._checks
        self._token = token
        self._proxied = proxied

    def routes(self) -> list[Route]:
        """Return the one route."""
        return by_contract(metrics=self._show)

    async def _show(self, request: web.Request) -> web.Response:
        if self._proxied or not _is_local(request):
            self._prove(bearer_token(request.headers.get("Authorization")))
        self._checks, _ = await asyncio.gather(self._health.checks(), self._census.look())
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _prove(self, token: str | None) -> None:
        if self._token is None:
            raise Refused(
                Code.FORBIDDEN, "Metrics are for this machine alone: set PAIRQUIZ_METRICS__TOKEN to read them elsewhere"
            )
        # Header values come with what is no UTF-8 as surrogates.
        if token is None or not hmac.compare_digest(token.encode(errors="surrogateescape"), self._token.encode()):
            raise Refused(Code.UNAUTHORIZED, "Metrics need their token: send it as Authorization: Bearer TOKEN")


def _is_local(request: web.Request) -> bool:
    """Tell whether it is a program of this machine that asks, and no proxy or page on it for somebody else."""
    if any(name in request.headers for name in _COME_FROM_AFAR):
        return False
    try:
        return ipaddress.ip_address((request.remote or "").partition("%")[0]).is_loopback
    except ValueError:
        return False
