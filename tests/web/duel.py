"""A duel as its two players hear it, one of whom has a second tab."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.client import Client, connected, started_match
from tests.conftest import Server

Heard = list[tuple[str, dict[str, Any]]]

in_both_paces = pytest.mark.parametrize("pace", ["free", "rounds"])
with_and_without_ack = pytest.mark.parametrize("ack", [True, False], ids=["ack", "no ack"])


class Duel:
    """Two players; the first has a second tab."""

    def __init__(self, first: Client, tab: Client, second: Client) -> None:
        self.first = first
        self.tab = tab
        self.second = second

    async def settled(self) -> tuple[Heard, Heard, Heard]:
        return await self.first.settled(), await self.tab.settled(), await self.second.settled()

    async def start(self, **wishes: Any) -> dict[str, Any]:
        started = await started_match(self.first, self.second, **wishes)
        await self.settled()
        return started


@asynccontextmanager
async def duel(server: Server) -> AsyncIterator[Duel]:
    """Connect two players, and the first one's second tab."""
    async with (
        connected(server.url) as first,
        connected(server.url, token=first.token) as tab,
        connected(server.url) as second,
    ):
        yield Duel(first, tab, second)


def names(heard: Heard) -> list[str]:
    return [name for name, _ in heard]


def answering(started: dict[str, Any], place: int = 0, answer: Any = 0) -> dict[str, Any]:
    return {
        "session_id": started["session_id"],
        "question_id": started["questions"][place]["id"],
        "answer": answer,
    }


async def perform(client: Client, command: str, payload: Any, *, ack: bool) -> dict[str, Any] | None:
    """Send a command either way; return its acknowledgement, if one was asked for."""
    if ack:
        return await client.ask(command, payload)
    await client.emit(command, payload)
    return None
