"""A row for each REST route: its path, what it takes, and how it answers. A new route is a new row.

`web.rest` has a handler for each name here, and no path of its own.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from pairquiz_server.engine.memory import PAGE_MAX
from pairquiz_server.protocol import events, payloads
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.fields import SESSION, opaque, said
from pairquiz_server.protocol.words import Period
from pairquiz_server.rules.errors import Code

ANY_ROUTE = (Code.RATE_LIMITED, Code.STORAGE_UNAVAILABLE, Code.TOO_SLOW, Code.INTERNAL)
"""What every route may be refused by that asks the database."""
_OF_A_TOKEN = (Code.UNAUTHORIZED, Code.FORBIDDEN, Code.KEYS_UNAVAILABLE)
_OF_A_BODY = (Code.INVALID_PAYLOAD, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE)
_OF_A_MATCH = (Code.NOT_FOUND, Code.NOT_A_PLAYER)


class Auth(StrEnum):
    """Whether a route needs a token."""

    TOKEN = "token"  # noqa: S105 - a word of the contract
    """A user's or a guest's."""
    OPTIONAL = "optional"
    """It answers without one, and more with one."""
    NONE = "none"
    OPERATOR = "operator"
    """The operator's, from elsewhere than the machine itself."""


class RestRow(Struct, frozen=True, kw_only=True):
    """One route: `path` has no trailing slash, and is served with and without one.

    `parts` are the variables of the path, `query` the keys behind it, each a field of a struct; `answer` is None where
    it is of no known shape, but `media` alone. It comes with `status`, and with those of `also`. `codes` are those
    beside `ANY_ROUTE`.
    """

    method: str
    path: str
    summary: str
    auth: Auth = Auth.TOKEN
    parts: type[Struct] | None = None
    query: type[Struct] | None = None
    payload: type[Struct] | None = None
    answer: type[Struct] | None = None
    media: str = "application/json"
    status: int = 200
    also: tuple[int, ...] = ()
    codes: tuple[Code, ...] = ()


class SessionPath(Struct, frozen=True):
    """The match that a path names."""

    session_id: Annotated[str, said("The match, a UUID in any spelling.", SESSION)]


class PlayerPath(Struct, frozen=True):
    """The player that a path names."""

    player_id: Annotated[str, said("The player's id, as `welcome` says it.", "guest:Vh7dQ2mX4tRk")]


class TopicPath(Struct, frozen=True):
    """The topic that a path names."""

    topic: Annotated[str, said("The topic, in any spelling, or `all`.", "General")]


Limit = Annotated[
    Annotated[int, Meta(ge=1, le=PAGE_MAX)] | None,
    said("How many at most; 20 where it is not said.", 20, unit="entries"),
]


class PageQuery(Struct, frozen=True):
    """Which page of a list."""

    limit: Limit = None
    cursor: Annotated[str | None, opaque("`next_cursor` of the page before, as it is; none for the first page.")] = None


class RankQuery(Struct, frozen=True):
    """Which list of the best."""

    period: Annotated[
        Period | None, said("Of all time, by rating, or of the week; `all` where it is not said.", "week")
    ] = None
    limit: Limit = None


def _command(name: str, path: str, summary: str, status: int) -> RestRow:
    """Make the row of a route that carries out a command."""
    row = COMMANDS[name]
    return RestRow(
        method="POST",
        path=path,
        summary=summary,
        payload=row.payload,
        answer=row.replies[0],
        status=status,
        codes=(*_OF_A_TOKEN, *_OF_A_BODY, Code.DRAINING, *(code for code in row.codes if code not in _OF_A_TOKEN)),
    )


ROUTES: dict[str, RestRow] = {
    "create_session": _command(
        "create_pair_quiz", "/api/pair-quiz/create", "Create a match, as `create_pair_quiz` does.", 201
    ),
    "join_session": _command(
        "join_pair_quiz",
        "/api/pair-quiz/join",
        "Join a match, as `join_pair_quiz` does. The creator's sockets hear of it.",
        200,
    ),
    "session_history": RestRow(
        method="GET",
        path="/api/pair-quiz/history",
        summary="One's finished matches, the latest first, each a second or two after its `quiz_results`.",
        query=PageQuery,
        answer=events.History,
        codes=(*_OF_A_TOKEN, Code.INVALID_PAYLOAD),
    ),
    "show_session": RestRow(
        method="GET",
        path="/api/pair-quiz/{session_id}",
        summary="A match as one may see it, as `quiz_state` shows it.",
        parts=SessionPath,
        answer=events.QuizState,
        codes=(*_OF_A_TOKEN, *_OF_A_MATCH),
    ),
    "head_to_head": RestRow(
        method="GET",
        path="/api/pair-quiz/{session_id}/head-to-head",
        summary="How one stands against the opponent of that match.",
        parts=SessionPath,
        answer=events.HeadToHead,
        codes=(*_OF_A_TOKEN, *_OF_A_MATCH, Code.WRONG_STATE),
    ),
    "create_challenge": _command(
        "create_challenge", "/api/challenges", "Get a link to one's own run, as `create_challenge` does.", 201
    ),
    "accept_challenge": _command(
        "accept_challenge", "/api/challenges/accept", "Play against a run, as `accept_challenge` does.", 200
    ),
    "show_me": RestRow(
        method="GET",
        path="/api/me",
        summary="One's own profile.",
        answer=events.Profile,
        codes=_OF_A_TOKEN,
    ),
    "change_me": RestRow(
        method="PATCH",
        path="/api/me",
        summary="Change one's profile, as `set_profile` does.",
        payload=payloads.SetProfile,
        answer=events.Profile,
        codes=(*_OF_A_TOKEN, *_OF_A_BODY),
    ),
    "erase_me": RestRow(
        method="DELETE",
        path="/api/me",
        summary="Have all erased that is stored about one: within some ten seconds, or as soon as a match is over that "
        "one has completed and the other has not. Until then one is `forbidden`.",
        answer=events.Erasing,
        status=202,
        codes=_OF_A_TOKEN,
    ),
    "export_me": RestRow(
        method="GET",
        path="/api/me/export",
        summary="All that is stored about one, as JSON; 429 while two others' exports are under way.",
        codes=_OF_A_TOKEN,
    ),
    "show_player": RestRow(
        method="GET",
        path="/api/players/{player_id}",
        summary="The public profile of a player whose id one knows.",
        parts=PlayerPath,
        answer=events.PublicProfile,
        codes=(*_OF_A_TOKEN, Code.NOT_FOUND),
    ),
    "leaderboard": RestRow(
        method="GET",
        path="/api/leaderboards/{topic}",
        summary="The best of a topic, or of `all`; with a token, one's own place, too.",
        auth=Auth.OPTIONAL,
        parts=TopicPath,
        query=RankQuery,
        answer=events.RankList,
        codes=(*_OF_A_TOKEN, Code.NOT_FOUND, Code.INVALID_PAYLOAD),
    ),
    "list_topics": RestRow(
        method="GET",
        path="/api/topics",
        summary="The topics, and how many questions each has.",
        auth=Auth.NONE,
        answer=events.Topics,
    ),
    "alive": RestRow(
        method="GET",
        path="/healthz",
        summary="200 while the process lives.",
        auth=Auth.NONE,
        answer=events.Alive,
    ),
    "ready": RestRow(
        method="GET",
        path="/readyz",
        summary="200 where the server can be played on, 503 where it cannot; `checks` says why.",
        auth=Auth.NONE,
        answer=events.Readiness,
        also=(503,),
    ),
    "metrics": RestRow(
        method="GET",
        path="/metrics",
        summary="Prometheus: to the machine itself alone; from elsewhere with `PAIRQUIZ_METRICS__TOKEN`.",
        auth=Auth.OPERATOR,
        media="text/plain",
        codes=(Code.UNAUTHORIZED, Code.FORBIDDEN),
    ),
    "openapi": RestRow(method="GET", path="/openapi.json", summary="This contract, as OpenAPI 3.1.", auth=Auth.NONE),
    "asyncapi": RestRow(
        method="GET", path="/asyncapi.json", summary="The contract of the sockets, as AsyncAPI 3.", auth=Auth.NONE
    ),
}
