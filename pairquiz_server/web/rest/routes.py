"""The REST edge: the same commands as over the socket, and the few questions that need no socket."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from math import ceil

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Raw, Struct

from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.people import People
from pairquiz_server.engine.searches import Searches
from pairquiz_server.protocol import payloads, reading
from pairquiz_server.protocol.codes import CODES
from pairquiz_server.protocol.commands import COMMANDS, CommandRow
from pairquiz_server.protocol.events import Alive, Failure, Readiness, Topics, TopicSize
from pairquiz_server.protocol.frames import problem
from pairquiz_server.protocol.rest import ROUTES
from pairquiz_server.protocol.sending import Reply, Sender
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.bodies import read_body
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.numbering import request_numbers
from pairquiz_server.web.rest.visitors import Visitor, Visitors

log = structlog.get_logger("pairquiz.rest")

RouteHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, RouteHandler]
"""Method, path without the trailing slash, handler."""
TOPICS_KEPT_S = 60
"""A topic that was imported is seen by everybody a minute later."""


def by_contract(**handlers: RouteHandler) -> list[Route]:
    """Return the routes that the contract has by these names."""
    return [(ROUTES[name].method, ROUTES[name].path, handler) for name, handler in handlers.items()]


class Rest:
    """The handlers of the REST routes."""

    def __init__(
        self,
        game: Game,
        people: People,
        challenges: Challenges,
        searches: Searches,
        visitors: Visitors,
        health: Health,
        limits: Limits,
    ) -> None:
        self._game = game
        self._people = people
        self._challenges = challenges
        self._searches = searches
        self._visitors = visitors
        self._limits = limits
        self._health = health
        self._request_numbers = request_numbers()

    def routes(self) -> list[Route]:
        """Return every route."""
        return by_contract(
            create_session=self._command("create_pair_quiz", "create_session"),
            join_session=self._command("join_pair_quiz", "join_session"),
            show_session=self._match,
            create_challenge=self._command("create_challenge", "create_challenge"),
            accept_challenge=self._command("accept_challenge", "accept_challenge"),
            list_topics=self._topics,
            alive=self._alive,
            ready=self._ready,
        )

    def _command(self, name: str, route: str) -> RouteHandler:
        """Make the handler that carries out a command of the protocol and answers with its acknowledgement."""
        row, status = COMMANDS[name], ROUTES[route].status

        async def handle(request: web.Request) -> web.Response:
            visitor = await self._visitors.player(request, name)
            payload = reading.parse(row.payload, await json_body(request))
            return json_answer(await self._carry_out(row, visitor, payload), status)

        return handle

    async def _match(self, request: web.Request) -> web.Response:
        visitor = await self._visitors.player(request, "resume_pair_quiz")
        payload = payloads.ResumePairQuiz(request.match_info["session_id"])
        return json_answer(await self._carry_out(COMMANDS["resume_pair_quiz"], visitor, payload))

    async def _carry_out(self, row: CommandRow, visitor: Visitor, payload: Struct) -> Struct:
        """Carry out a command of the protocol, and return its acknowledgement. Raises `Refused`."""
        answer: asyncio.Future[Reply | Refused] = asyncio.get_running_loop().create_future()
        request = next(self._request_numbers)
        sender = _Asking(
            player=visitor.player,
            arrived_at=visitor.arrived_at,
            people=self._people,
            challenges=self._challenges,
            searches=self._searches,
            request=request,
            answer=answer,
        )
        self._limits.charge(sender, payload, visitor.address)
        try:
            work = row.perform(self._game, sender, payload)
            if work is not None:
                await work
        except Refused as refusal:
            sender.reply(refusal)
        outcome = await answer
        if isinstance(outcome, Refused):
            raise outcome
        return outcome.acknowledgement

    async def _topics(self, request: web.Request) -> web.Response:
        counts = await self._game.topics()
        return kept_answer(Topics([TopicSize(count.name, count.questions) for count in counts]), TOPICS_KEPT_S)

    async def _alive(self, request: web.Request) -> web.Response:
        return json_answer(Alive("ok"))

    async def _ready(self, request: web.Request) -> web.Response:
        checks = await self._health.checks()
        ready = all(checks.values())
        told = Readiness(
            status="ok" if ready else "failed",
            checks={name: "ok" if holds else "failed" for name, holds in checks.items()},
        )
        return json_answer(told, 200 if ready else 503)


class _Asking(Sender, kw_only=True, eq=False):
    """Whoever sent a request, and waits for its answer."""

    answer: asyncio.Future[Reply | Refused]

    def send(self, outcome: Reply | Refused) -> None:
        """Hand the answer over; whoever asked may have gone."""
        if not self.answer.done():
            self.answer.set_result(outcome)


def error_middleware(refusals: Refusals) -> Middleware:
    """Return the middleware that turns every failure into `{error: {code, message, retry}}`."""

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            return await handler(request)
        except Refused as refusal:
            failure = refusal
        except web.HTTPException as error:
            if error.status < 400:
                raise
            failure = _refusal(error)
            if isinstance(error, web.HTTPMethodNotAllowed):
                headers["Allow"] = error.headers["Allow"]
        except Exception:
            log.exception("request_failed", path=request.path)
            failure = Refused(Code.INTERNAL)
        if failure.code is Code.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(wait_ms := failure.details.get("retry_in_ms"), int):
            headers["Retry-After"] = str(ceil(wait_ms / 1000))
        refusals.note(failure.code, path=request.path[:200])
        return web.Response(
            body=msgspec.json.encode(Failure(problem(failure))),
            status=CODES[failure.code].status,
            content_type="application/json",
            headers=headers,
        )

    return answer_errors


async def no_such_path(request: web.Request) -> web.StreamResponse:
    """Answer every path that no route has, so that the answer carries the CORS headers of a route."""
    raise Refused(Code.NOT_FOUND, "There is nothing at this path")


def wrong_method(allowed: Collection[str]) -> RouteHandler:
    """Return the handler of the methods that a path does not take."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return refuse


def _refusal(error: web.HTTPException) -> Refused:
    """Say in our words what aiohttp and aiohttp-cors refuse."""
    match error:
        case web.HTTPRequestEntityTooLarge():
            return Refused(Code.PAYLOAD_TOO_LARGE)
        case web.HTTPMethodNotAllowed(allowed_methods=allowed):
            return Refused(Code.METHOD_NOT_ALLOWED, f"This path takes {', '.join(sorted(allowed))}")
        case web.HTTPNotFound():
            return Refused(Code.NOT_FOUND, "There is nothing at this path")
        case web.HTTPForbidden():
            return Refused(Code.FORBIDDEN, error.text)
        case _:
            return Refused(Code.INVALID_PAYLOAD, error.text)


async def json_body(request: web.Request) -> Raw:
    """Return a request's body, which is JSON or nothing. Raises `Refused`."""
    if request.body_exists and request.content_type != "application/json":
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE)
    body = await read_body(request)
    return Raw(body or b"null")


def json_answer(payload: Struct, status: int = 200) -> web.Response:
    """Answer with a payload, which nobody keeps."""
    return web.Response(body=msgspec.json.encode(payload), status=status, content_type="application/json")


def kept_answer(payload: Struct, seconds: int) -> web.Response:
    """Answer with what is the same for everybody, and may be kept for a while by whoever stands in between."""
    response = json_answer(payload)
    response.headers[hdrs.CACHE_CONTROL] = f"public, max-age={seconds}"
    # Who presents a token may hear more, and which page may read it stands in the answer.
    response.headers[hdrs.VARY] = f"{hdrs.AUTHORIZATION}, {hdrs.ORIGIN}"
    return response
