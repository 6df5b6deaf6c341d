"""The REST routes as OpenAPI 3.1."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from pairquiz_server import __version__
from pairquiz_server.contract.examples import example
from pairquiz_server.contract.schemas import DIALECT, Schema, components, name_of, placed, reachable, refer
from pairquiz_server.protocol.codes import CODES
from pairquiz_server.protocol.events import Failure
from pairquiz_server.protocol.rest import ANY_ROUTE, ROUTES, Auth, RestRow
from pairquiz_server.rules.errors import Code

_PLACE = "#/components/schemas/{name}"
_DESCRIPTION = """\
The routes beside the sockets of pairquiz-server. Times are milliseconds since the epoch, spans end in `_ms`. Each path
is served with and without the slash at its end. Keys that are not described here are to be ignored."""
_SECURITY: dict[Auth, list[dict[str, list[str]]]] = {
    Auth.TOKEN: [{"player": []}],
    Auth.OPTIONAL: [{"player": []}, {}],
    Auth.NONE: [{}],
    Auth.OPERATOR: [{"operator": []}, {}],
}
_SCHEMES = {
    "player": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A user's token of the operator's issuer, or the `guest_token` of `welcome`.",
    },
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "description": "The text of PAIRQUIZ_METRICS__TOKEN. From the machine itself none is needed.",
    },
}


def openapi() -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, Any] = {}
    for name, route in ROUTES.items():
        paths.setdefault(shown_path(route), {})[route.method.lower()] = _operation(name, route)
    kinds: list[type[Struct]] = [Failure]
    kinds += [kind for route in ROUTES.values() for kind in (route.payload, route.answer) if kind]
    used = reachable(map(name_of, kinds))
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "pairquiz-server",
            "version": __version__,
            "summary": "Two-player quiz duels: REST beside the sockets.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "paths": paths,
        "components": {"schemas": placed(used, _PLACE), "securitySchemes": _SCHEMES},
    }


def shown_path(route: RestRow) -> str:
    """Return a path as documents show it."""
    return f"{route.path}/" if route.path.startswith("/api/") else route.path


def _operation(name: str, route: RestRow) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": route.summary,
        "security": _SECURITY[route.auth],
        "parameters": [*_parameters(route.parts, "path"), *_parameters(route.query, "query")],
        "responses": _answers(route) | _refusals({*ANY_ROUTE, *route.codes}, route.also),
    }
    if route.payload:
        operation["requestBody"] = {"required": True, "content": _json(route.payload)}
    return operation


def _parameters(kind: type[Struct] | None, place: str) -> list[dict[str, Any]]:
    if kind is None:
        return []
    described = components()[name_of(kind)]
    return [
        {
            "name": key,
            "in": place,
            "required": place == "path",
            "description": schema["description"],
            "schema": placed(
                _present({inner: value for inner, value in schema.items() if inner != "description"}), _PLACE
            ),
        }
        for key, schema in described["properties"].items()
    ]


def _present(schema: Schema) -> Schema:
    """Return the schema of a parameter, which is there or is not, and never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    rest = {key: inner for key, inner in schema.items() if key != "anyOf"}
    return rest | choices[0] if len(choices) == 1 else schema


def _answers(route: RestRow) -> dict[str, Any]:
    shape = {"type": "object" if route.media == "application/json" else "string"}
    content = _json(route.answer) if route.answer else {route.media: {"schema": shape}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": content}
        for status in (route.status, *route.also)
    }


def _refusals(codes: Iterable[Code], but: Iterable[int]) -> dict[str, Any]:
    by_status: defaultdict[int, list[Code]] = defaultdict(list)
    for code in sorted(codes):
        by_status[CODES[code].status].append(code)
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {CODES[code].when}" for code in by_status[status]),
            "content": {"application/json": {"schema": refer(Failure, _PLACE)}},
        }
        for status in sorted(by_status)
        if status not in but
    }


def _json(kind: type[Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": refer(kind, _PLACE), "example": example(kind)}}
