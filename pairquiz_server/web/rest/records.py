"""What players come back to, by REST: past matches, head to head, profiles, and lists of the best."""

from aiohttp import web

from pairquiz_server.engine.leaderboards import Leaderboards
from pairquiz_server.engine.memory import PAGE_MAX, Memory
from pairquiz_server.protocol import reading, records
from pairquiz_server.protocol.cursors import Cursors
from pairquiz_server.protocol.words import Period
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.standings import TOP
from pairquiz_server.web.guard.limits import LOOKING_BACK
from pairquiz_server.web.rest.routes import Route, by_contract, json_answer, kept_answer
from pairquiz_server.web.rest.visitors import Visitors

LIST_KEPT_S = 5
"""A list of the best without anybody's own place in it."""


class Records:
    """The handlers of what is remembered. Lists of the best are for everybody; all else needs a token."""

    def __init__(self, memory: Memory, leaderboards: Leaderboards, cursors: Cursors, visitors: Visitors) -> None:
        self._memory = memory
        self._leaderboards = leaderboards
        self._cursors = cursors
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """Return every route."""
        return by_contract(
            session_history=self._history,
            head_to_head=self._head_to_head,
            show_player=self._player,
            leaderboard=self._leaderboard,
        )

    async def _history(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitors.player(request, LOOKING_BACK)
        player_id, text = visitor.player.id, request.query.get("cursor")
        after = None if text is None else self._cursors.read(player_id, text)
        page = await self._memory.history(player_id, after, _limit(request, PAGE_MAX))
        follows = None if page.after is None else self._cursors.write(player_id, page.after)
        return json_answer(records.history(page, follows))

    async def _head_to_head(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitors.player(request, LOOKING_BACK)
        session_id = reading.session_id(request.match_info["session_id"])
        return json_answer(records.head_to_head(await self._memory.against(visitor.player.id, session_id)))

    async def _player(self, request: web.Request) -> web.StreamResponse:
        await self._visitors.player(request, LOOKING_BACK)
        return json_answer(records.public_profile(await self._memory.person(request.match_info["player_id"])))

    async def _leaderboard(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitors.anybody(request, LOOKING_BACK)
        period = request.query.get("period", Period.ALL)
        if period not in tuple(Period):
            raise Refused(Code.INVALID_PAYLOAD, "period: expected week, or all")
        board = await self._leaderboards.show(
            request.match_info["topic"],
            weekly=period == Period.WEEK,
            limit=_limit(request, TOP),
            player_id=None if visitor is None else visitor.player.id,
        )
        listed = records.rank_list(board)
        return kept_answer(listed, LIST_KEPT_S) if visitor is None else json_answer(listed)


def _limit(request: web.Request, most: int) -> int | None:
    """Read how many entries are asked for. Raises `Refused` (`invalid_payload`)."""
    text = request.query.get("limit")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise Refused(Code.INVALID_PAYLOAD, f"limit: expected a whole number from 1 to {most}")
    return int(text)
