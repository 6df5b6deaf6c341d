"""Requests for rematches: their table as a small model, and a node's way to it."""

from functools import partial

from pairquiz_server.rules.rematch import Standing
from pairquiz_server.store.rematches import FORGOTTEN_AT_ONCE, FOUND_AT_ONCE, Noted
from tests.simulation.line import Line
from tests.simulation.model import Model


class Requests:
    """What PostgreSQL does with each query of store/rematches, in a dict beside a model's matches."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.rows: dict[str, list[int | None]] = {}

    def look(self, match_id: str) -> Standing:
        first, second = self.rows.get(match_id, (None, None))
        return Standing((first, second), self._model.followers.get(match_id))

    def ask(
        self, match_id: str, seat: int, now: int, other_id: str, *, stands_after: int, needs_presence_before: int
    ) -> Noted:
        row = self.rows.setdefault(match_id, [None, None])
        earlier_at, other_at = row[seat], row[1 - seat]
        if earlier_at is None or earlier_at <= stands_after:
            row[seat] = now
        if other_at is not None and other_at < needs_presence_before and self._model.find_absent([other_id]):
            row[1 - seat] = None
        return Noted((row[0], row[1]), earlier_at)

    def find_agreed(self, first: int, last: int) -> list[str]:
        agreed = [
            (max(asked), match_id)
            for match_id, row in self.rows.items()
            if (asked := [at for at in row if at is not None])
            and len(asked) == 2
            and first <= max(asked) <= last
            and match_id not in self._model.followers
        ]
        return [match_id for _, match_id in sorted(agreed)[:FOUND_AT_ONCE]]

    def forget(self, before: int) -> int:
        old = sorted((at, match_id) for match_id, row in self.rows.items() if (at := _last(row)) < before)
        for _, match_id in old[:FORGOTTEN_AT_ONCE]:
            del self.rows[match_id]
        return min(len(old), FORGOTTEN_AT_ONCE)


class RequestLine:
    """Stands where `store.rematches.RematchRows` stands, at the end of a node's line."""

    def __init__(self, line: Line, requests: Requests) -> None:
        self._line = line
        self._requests = requests

    async def look(self, match_id: str) -> Standing:
        found: Standing = await self._line.carry(partial(self._requests.look, match_id))
        return found

    async def ask(self, match_id: str, seat: int, now: int, other_id: str, **times: int) -> Noted:
        noted: Noted = await self._line.carry(partial(self._requests.ask, match_id, seat, now, other_id, **times))
        return noted

    async def find_agreed(self, first: int, last: int) -> list[str]:
        found: list[str] = await self._line.carry(partial(self._requests.find_agreed, first, last))
        return found

    async def forget(self, before: int) -> int:
        count: int = await self._line.carry(partial(self._requests.forget, before))
        return count


def _last(row: list[int | None]) -> int:
    return max(at for at in row if at is not None)
