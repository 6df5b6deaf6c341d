"""The handlers of the operator's routes."""

import asyncio
import os
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import Struct

from pairquiz_server import __version__
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.operating import Operating
from pairquiz_server.engine.searches import Searches
from pairquiz_server.protocol import reading
from pairquiz_server.protocol.admin import (
    ADMIN_ROUTES,
    LINES,
    AuditPage,
    AuditQuery,
    BeginMaintenance,
    EndedMatch,
    EndMatch,
    FindQuery,
    FoundPlayers,
    ListQuery,
    MatchPage,
    Node,
    Overview,
    ShowQuery,
)
from pairquiz_server.protocol.admin.changes import changes
from pairquiz_server.protocol.admin.rows import (
    audit_entry,
    found_player,
    listed_match,
    maintenance_state,
    page_cursor,
    page_place,
)
from pairquiz_server.protocol.admin.views import shown_match
from pairquiz_server.protocol.expectations import mistake
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.audit import Deed
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.web.admin.operators import operator_of
from pairquiz_server.web.rest.routes import Route, RouteHandler, json_answer, json_body
from pairquiz_server.web.sockets.connections import Connections

Query = TypeVar("Query", bound=Struct)
_QUIET_LOOKS = 40
"""After so many looks at a match that has not changed an empty line is sent, so that who is gone is noticed."""


class Desk:
    """Answers the operator for one process."""

    def __init__(
        self,
        node: UUID,
        region: str,
        clock: Clock,
        health: Health,
        connections: Connections,
        searches: Searches,
        operating: Operating,
    ) -> None:
        self._node = str(node)
        self._region = region
        self._clock = clock
        self._health = health
        self._connections = connections
        self._searches = searches
        self._operating = operating
        self._looking = operating.looking
        self._started_at = clock.now()

    def routes(self) -> list[Route]:
        """Return every route."""
        return [
            (ADMIN_ROUTES[name].method, ADMIN_ROUTES[name].path, _asking(handler))
            for name, handler in {
                "show_node": self._show_node,
                "show_overview": self._show_overview,
                "list_matches": self._list_matches,
                "show_match": self._show_match,
                "watch_match": self._watch_match,
                "end_match": self._end_match,
                "find_players": self._find_players,
                "show_maintenance": self._show_maintenance,
                "begin_maintenance": self._begin_maintenance,
                "end_maintenance": self._end_maintenance,
                "show_audit": self._show_audit,
            }.items()
        ]

    async def _show_node(self, request: web.Request) -> web.StreamResponse:
        return json_answer(
            Node(
                id=self._node,
                version=__version__,
                region=self._region,
                pid=os.getpid(),
                started_at=self._started_at,
                server_time=self._clock.now(),
                connections=len(self._connections),
                players=sum(1 for _ in self._connections.players()),
                seekers=len(self._searches),
                checks=await self._health.checks(),
                maintenance=self._operating.in_maintenance,
            )
        )

    async def _show_overview(self, request: web.Request) -> web.StreamResponse:
        looking = self._looking
        matches, service, sessions = (
            await looking.census.matches(),
            await looking.census.service(),
            await looking.census.sessions(),
        )
        return json_answer(
            Overview(
                node=self._node,
                nodes=await looking.vitals.read(),
                matches=matches.by_status,
                absent_seats=matches.absent_seats,
                seekers=service.seekers,
                unrated_ms=service.unrated_ms,
                sessions=sessions.by_state,
                sessions_limit=sessions.most,
                longest=await looking.vitals.longest(),
                maintenance=self._operating.in_maintenance,
            )
        )

    async def _list_matches(self, request: web.Request) -> web.StreamResponse:
        wanted = _query(request, ListQuery)
        page, follows = await self._looking.page(
            status=wanted.state,
            player_id=wanted.player,
            topic=wanted.topic,
            behind=None if wanted.cursor is None else page_place(wanted.cursor),
            limit=wanted.limit,
        )
        cursor = None if follows is None else page_cursor(follows)
        return json_answer(MatchPage([listed_match(one) for one in page], cursor))

    async def _show_match(self, request: web.Request) -> web.StreamResponse:
        answers = _query(request, ShowQuery).answers
        match = await self._operating.match(self._deed(request), _session_id(request), answers=answers)
        return json_answer(shown_match(match, answers=answers))

    async def _watch_match(self, request: web.Request) -> web.StreamResponse:
        before = await self._looking.match(_session_id(request))
        following = self._operating.follow(before)
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = LINES
        try:
            await response.prepare(request)
            await _write(response, changes(None, before))
            quiet = 0
            async for match in following:
                quiet = quiet + 1 if match is None else 0
                if match is not None:
                    await _write(response, changes(before, match))
                    before = match
                elif quiet % _QUIET_LOOKS == 0:
                    await response.write(b"\n")
            await response.write_eof()
        except (Refused, StorageUnavailable):
            _break_off(request)
        except asyncio.CancelledError:
            _break_off(request)
            raise
        except ConnectionError:
            pass  # nobody watches any more
        finally:
            await following.aclose()
        return response

    async def _end_match(self, request: web.Request) -> web.StreamResponse:
        wanted = reading.parse(EndMatch, await json_body(request))
        winner = None if wanted.winner is None else wanted.winner - 1
        decision = await self._operating.end(
            self._deed(request), _session_id(request), reason=wanted.reason, winner=winner
        )
        match = decision.match
        return json_answer(EndedMatch(match.id, match.status, match.version, decision.duplicate))

    async def _find_players(self, request: web.Request) -> web.StreamResponse:
        found = await self._looking.find(_query(request, FindQuery).text)
        return json_answer(FoundPlayers([found_player(one) for one in found]))

    async def _show_maintenance(self, request: web.Request) -> web.StreamResponse:
        return json_answer(maintenance_state(await self._looking.maintenance.look()))

    async def _begin_maintenance(self, request: web.Request) -> web.StreamResponse:
        wanted = reading.parse(BeginMaintenance, await json_body(request))
        stands = await self._operating.begin_maintenance(
            self._deed(request), message=wanted.message, seconds=wanted.seconds
        )
        return json_answer(maintenance_state(stands))

    async def _end_maintenance(self, request: web.Request) -> web.StreamResponse:
        ended = await self._operating.end_maintenance(self._deed(request))
        return json_answer(maintenance_state(None, changed=ended))

    async def _show_audit(self, request: web.Request) -> web.StreamResponse:
        wanted = _query(request, AuditQuery)
        lines = await self._operating.audit(within_s=wanted.within_s, subject=wanted.subject, limit=wanted.limit)
        return json_answer(AuditPage([audit_entry(line) for line in lines]))

    def _deed(self, request: web.Request) -> Deed:
        operator = operator_of(request)
        return Deed(actor=operator.actor, via=operator.via, node=self._node)


def _asking(handler: RouteHandler) -> RouteHandler:
    """Return a handler whose asker hears that the database does not answer."""

    @wraps(handler)
    async def ask(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    return ask


def _query(request: web.Request, kind: type[Query]) -> Query:
    """Read what stands behind a path. Raises `Refused` (`invalid_payload`)."""
    try:
        return msgspec.convert(dict(request.query), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID_PAYLOAD, mistake(kind, error)) from None


def _break_off(request: web.Request) -> None:
    """End an answer in its midst: whoever watches must not take its end for the match's."""
    if request.transport is not None:
        request.transport.abort()


def _session_id(request: web.Request) -> str:
    return reading.session_id(request.match_info["session_id"])


async def _write(response: web.StreamResponse, lines: list[Any]) -> None:
    await response.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
