"""How PostgreSQL would carry out a statement."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg

from pairquiz_server.store.queries import load
from tests.store.played import LARGE


def query(name: str) -> str:
    module, _, of_module = name.partition(".")
    return load(module)[of_module]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def explained(connection: asyncpg.Connection, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """All nodes of the plan of a statement."""
    text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
    return list(nodes(json.loads(text)[0]["Plan"]))


def indexes(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node} | {
        index for node in plan for index in node.get("Conflict Arbiter Indexes", ())
    }


def tables_read_whole(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"} & LARGE
