"""What has changed between two surfaces, and whether a client of the older one would notice.

A client ignores keys, events and error codes that it does not know. All else that it may receive and could not
before breaks it, and so does all that it may send no more.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from pairquiz_server.contract.schemas import Schema
from pairquiz_server.contract.surface import Surface

_AUTHS = ("none", "optional", "token", "operator")
"""From the least that is asked of a client to the most."""


class Change(Struct, frozen=True):
    """One thing that is not as it was: `name` is what a line about it has to name."""

    name: str
    where: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.where} {self.what}"


def changes(old: Surface, new: Surface) -> list[Change]:
    """Return all changes, each once."""
    return list(dict.fromkeys(_Comparison(old["schemas"], new["schemas"]).all(old, new)))


class _Comparison:
    """Compares what the two surfaces' tables have; each struct once for each direction in which it travels."""

    def __init__(self, old: dict[str, Schema], new: dict[str, Schema]) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str, bool]] = set()

    def all(self, old: Surface, new: Surface) -> Iterator[Change]:
        yield from _rows("event", old["events"], new["events"])
        for name in _both(old["events"], new["events"]):
            yield from self._structs(name, old["events"][name], new["events"][name], sent=False)
        yield from self._asking("connect", old["connect"], new["connect"])
        yield from _rows("command", old["commands"], new["commands"])
        for name in _both(old["commands"], new["commands"]):
            yield from self._asking(name, old["commands"][name], new["commands"][name])
        yield from _rows("route", old["routes"], new["routes"])
        for name in _both(old["routes"], new["routes"]):
            yield from self._route(name, old["routes"][name], new["routes"][name])
        for code in new["codes"]:
            if code not in old["codes"]:
                yield Change(code, f"the error code {code}", "is new", breaking=False)
        for code in old["codes"]:
            if code not in new["codes"]:
                yield Change(code, f"the error code {code}", "is gone", breaking=True)

    def _asking(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        yield from self._structs(name, [old["payload"]], [new["payload"]], sent=True)
        yield from self._structs(name, old["replies"], new["replies"], sent=False)

    def _route(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        for key in ("route", "status"):
            if old[key] != new[key]:
                yield Change(name, f"the route {name}", f"was {old[key]} and is {new[key]}", breaking=True)
        if old["auth"] != new["auth"]:
            harder = _AUTHS.index(new["auth"]) > _AUTHS.index(old["auth"])
            yield Change(name, f"the route {name}", f"asks for another token ({new['auth']})", breaking=harder)
        for key, sent in (("query", True), ("payload", True), ("answer", False)):
            before, after = ([row[key]] if row[key] else [] for row in (old, new))
            yield from self._structs(name, before, after, sent=sent)

    def _structs(self, name: str, old: list[str], new: list[str], *, sent: bool) -> Iterator[Change]:
        """Compare what is one of some structs, by their places."""
        if len(old) != len(new):
            breaking = len(old) > len(new) or any(map(self._needs, new)) if sent else bool(old)
            yield Change(name, name, f"carries {' or '.join(new)} instead of {' or '.join(old)}", breaking=breaking)
        for before, after in zip(old, new, strict=False):
            yield from self._references(before, after, sent=sent)

    def _needs(self, struct: str) -> bool:
        """Whether it cannot be left empty, by a client that has never sent it."""
        return bool(self._new[struct]["required"])

    def _references(self, before: str, after: str, *, sent: bool) -> Iterator[Change]:
        place = "#/$defs/"
        yield from self._schemas(after, after, {"$ref": place + before}, {"$ref": place + after}, sent=sent)

    def _schemas(self, name: str, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Change]:
        if old.get("x-unit") != new.get("x-unit"):
            yield Change(name, where, f"is in {new.get('x-unit')} instead of {old.get('x-unit')}", breaking=True)
        before, after = _by_type(old, self._old), _by_type(new, self._new)
        gone = [kind for kind in before if not _is_in(kind, after)]
        come = [kind for kind in after if not _is_in(kind, before)]
        if gone:
            yield Change(name, where, f"is {' or '.join(gone)} no more", breaking=sent)
        if come:
            yield Change(name, where, f"may be {' or '.join(come)} now", breaking=not sent)
        for kind in _both(before, after):
            yield from self._same_type(name, where, before[kind], after[kind], sent=sent)

    def _same_type(self, name: str, where: str, old: "_Named", new: "_Named", *, sent: bool) -> Iterator[Change]:
        if old.name and new.name:
            pair = (old.name, new.name, sent)
            if pair in self._seen or new.name == "ErrorCode":
                return
            self._seen.add(pair)
        where, one, other = new.name or where, old.schema, new.schema
        if "properties" in one and "properties" in other:
            yield from self._keys(where, one, other, sent=sent)
        elif one["type"] == "array":
            yield from self._schemas(name, where, one["items"], other["items"], sent=sent)
        elif one["type"] == "object":
            yield from self._schemas(name, where, one["additionalProperties"], other["additionalProperties"], sent=sent)
        else:
            yield from _values(name, where, one, other, sent=sent)

    def _keys(self, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Change]:
        before, after = old["properties"], new["properties"]
        for key in _first_alone(before, after):
            yield Change(key, f"{where}.{key}", "is gone", breaking=True)
        for key in _first_alone(after, before):
            yield Change(key, f"{where}.{key}", "is new", breaking=sent and key in new["required"])
        for key in _both(before, after):
            was, is_now = key in old["required"], key in new["required"]
            if was and not is_now:
                yield Change(key, f"{where}.{key}", "may be missing now", breaking=not sent)
            elif is_now and not was:
                yield Change(key, f"{where}.{key}", "must be there now", breaking=sent)
            yield from self._schemas(key, f"{where}.{key}", before[key], after[key], sent=sent)


class _Named(Struct, frozen=True):
    """A schema that refers to no other, and what it is called where something has referred to it."""

    name: str | None
    schema: Schema


def _by_type(schema: Schema, schemas: dict[str, Schema]) -> dict[str, _Named]:
    """Return what a schema allows, by JSON's types."""
    found: dict[str, _Named] = {}
    for choice in schema.get("anyOf", [schema]):
        name = choice["$ref"].rpartition("/")[2] if "$ref" in choice else None
        target = schemas[name] if name else choice
        found[target["type"]] = _Named(name, target)
    return found


def _both(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the names that both have, in the order of the first."""
    return [name for name in one if name in other]


def _first_alone(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name for name in one if name not in other]


def _rows(sort: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in _first_alone(old, new):
        yield Change(name, f"the {sort} {name}", "is gone", breaking=True)
    for name in _first_alone(new, old):
        yield Change(name, f"the {sort} {name}", "is new", breaking=False)


def _values(name: str, where: str, old: Schema, new: Schema, *, sent: bool) -> Iterator[Change]:
    """Compare the words, the lengths and the ranges that are allowed."""
    before, after = _words(old), _words(new)
    fewer = after is not None and (before is None or bool(before - after))
    more = before is not None and (after is None or bool(after - before))
    for least in ("minimum", "minLength"):
        low, high = old.get(least, float("-inf")), new.get(least, float("-inf"))
        fewer, more = fewer or high > low, more or high < low
    for most in ("maximum", "maxLength"):
        low, high = old.get(most, float("inf")), new.get(most, float("inf"))
        fewer, more = fewer or high < low, more or high > low
    if fewer:
        yield Change(name, where, "allows less than it did", breaking=sent)
    if more:
        yield Change(name, where, "allows more than it did", breaking=not sent)


def _words(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _is_in(kind: str, kinds: dict[str, _Named]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)
