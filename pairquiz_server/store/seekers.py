"""The queue of those who look for an opponent: one method for each query of sql/queries/seekers.sql."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from pairquiz_server.rules.pairing import NOBODY, Pair, Seeker, Wishes
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("seekers")
_encode = msgspec.json.Encoder().encode


class Entry(Struct, frozen=True, kw_only=True):
    """What a player is written into the queue with; `rating`, `deviation` and `since` are the database's to say."""

    player: Player
    ticket: UUID
    wishes: Wishes
    accept_ghost: bool
    rating: float = 0.0
    deviation: float = 0.0
    since: int = 0

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table."""
        columns = msgspec.structs.asdict(self.wishes) | msgspec.structs.asdict(self)
        del columns["player"], columns["wishes"]
        player = self.player
        return columns | {"player_id": player.id, "kind": player.kind, "display_name": player.display_name}


class Entered(Struct, frozen=True):
    """What became of an entry: how many live matches its player is in, and whether the node is known.

    `ticket`, `rating`, `deviation` and `since` are those of the entry as it stands, None where nothing was written;
    `paired` tells that a match is being made for it. Of one that is `made` the players are to be taken out.
    """

    known: bool
    live: int
    ticket: UUID | None
    rating: float | None
    deviation: float | None
    since: int | None
    made: UUID | None = None
    paired: bool = False


class Place(Struct, frozen=True):
    """Where in the queue a stretch of it ended."""

    wishes: Wishes
    rating: float
    player_id: str


FRONT = Place(Wishes(-1, 0, 0, Pace.FREE, ScoringProfile.SPEED_BONUS), 0.0, "")
"""Before everybody: no topic has this number."""


class Queued(Struct, frozen=True):
    """Somebody in the queue, and at which node."""

    seeker: Seeker
    node: UUID

    @property
    def place(self) -> Place:
        """Where in the queue that is."""
        return Place(self.seeker.wishes, self.seeker.rating, self.seeker.player_id)


class Unfinished(Struct, frozen=True):
    """An entry for which a match was to be made, whether it was, and what its topic and its player are called."""

    match_id: str
    made: bool
    topic: str
    seeker: Seeker
    player: Player


class Seen(Struct, frozen=True):
    """An entry as it stands: whether a match is being made for it, and how many look for the same."""

    ticket: UUID
    paired: bool
    seeking: int


class Seekers(Struct, frozen=True):
    """The queue of one database. Every method raises `StorageUnavailable`; times are in milliseconds."""

    database: Database

    async def enter(self, node: UUID, now: int, entries: Sequence[Entry], live_max: int) -> dict[str, Entered]:
        """Write players into the queue, but for who is in `live_max` live matches (0: any number), by their ids."""
        rows = [entry.row() for entry in sorted(entries, key=attrgetter("player.id"))]
        records = await self.database.fetch(_QUERIES["enter"], node, now, _encode(rows).decode(), live_max)
        return {record["player_id"]: Entered(**_without(record, "player_id")) for record in records}

    async def cancel(self, player_id: str) -> bool:
        """Take a player out of the queue, at whatever node, unless a match is being made; tell whether it did."""
        return bool(await self.database.fetchval(_QUERIES["cancel"], player_id))

    async def leave(self, node: UUID, players: Sequence[str]) -> set[str]:
        """Take players out of the queue who have left a node; return who stays, because a match is being made."""
        return {record["player_id"] for record in await self.database.fetch(_QUERIES["leave"], node, players)}

    async def leave_all(self, node: UUID) -> None:
        """Take all players of a node out of the queue."""
        await self.database.fetch(_QUERIES["leave_all"], node)

    async def restore(self, node: UUID, entries: Sequence[Entry]) -> None:
        """Write a node's entries anew, as they were."""
        rows = [entry.row() for entry in sorted(entries, key=attrgetter("player.id"))]
        await self.database.fetch(_QUERIES["restore"], node, _encode(rows).decode())

    async def read_queue(self, behind: Place, limit: int) -> list[Queued]:
        """Return who stands behind a place of the queue, as it lies: so many at most."""
        wishes = behind.wishes
        records = await self.database.fetch(
            _QUERIES["read_queue"],
            wishes.topic_id,
            wishes.question_count,
            wishes.time_limit_s,
            wishes.pace,
            wishes.scoring,
            behind.rating,
            behind.player_id,
            limit,
        )
        return [_queued(record) for record in records]

    async def mark(self, pairs: Mapping[str, Pair], now: int) -> dict[str, dict[str, Player]]:
        """Let matches (by their ids) be made for pairs, where both still look; return their players, by their ids."""
        records = await self.database.fetch(
            _QUERIES["mark"],
            [first.player_id for first, _ in pairs.values()],
            [first.ticket for first, _ in pairs.values()],
            [second.player_id for _, second in pairs.values()],
            [second.ticket for _, second in pairs.values()],
            list(pairs),
            now,
        )
        marked: dict[str, dict[str, Player]] = {}
        for record in records:
            marked.setdefault(str(record["match_id"]), {})[record["player_id"]] = _player(record)
        return marked

    async def claim(self, player_id: str, ticket: UUID, match_id: str, now: int) -> Player | None:
        """Let a match be made for one player with nobody of the queue; None where the player does not look so."""
        records = await self.database.fetch(_QUERIES["claim"], player_id, ticket, match_id, now)
        return _player(records[0]) if records else None

    async def finish(self, matches: Sequence[str]) -> None:
        """Take those out of the queue for whom these matches were made."""
        await self.database.fetch(_QUERIES["finish"], matches)

    async def release(self, matches: Sequence[str], node: UUID, looking: Sequence[str]) -> None:
        """Let those of a node look on for whom these matches were not made, if they are among those who still do."""
        await self.database.fetch(_QUERIES["release"], matches, node, looking)

    async def find_standing(self, seekers: Mapping[str, int]) -> set[str]:
        """Return which matches are made or may still be, of so many players each of the queue."""
        records = await self.database.fetch(_QUERIES["find_standing"], list(seekers), list(seekers.values()))
        return {str(record["match_id"]) for record in records}

    async def find_unfinished(self, node: UUID, before: int) -> list[Unfinished]:
        """Return the entries of matches that were to be made for a node's players before a time, oldest first."""
        records = await self.database.fetch(_QUERIES["find_unfinished"], node, before)
        return [
            Unfinished(str(record["match_id"]), record["made"], record["topic"], _seeker(record), _player(record))
            for record in records
        ]

    async def look(self, node: UUID) -> dict[str, Seen]:
        """Return the entries of a node's players."""
        records = await self.database.fetch(_QUERIES["look"], node)
        return {record["player_id"]: Seen(**_without(record, "player_id")) for record in records}


def _without(record: Any, key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


def _player(record: Any) -> Player:
    return Player(record["player_id"], PlayerKind(record["kind"]), record["display_name"])


def _queued(record: Any) -> Queued:
    seeker = _seeker(record, met=tuple(record["met"]), blocked=frozenset(record["blocked"]))
    return Queued(seeker, record["node_id"])


def _seeker(record: Any, met: tuple[str, ...] = (), blocked: frozenset[str] = NOBODY) -> Seeker:
    return Seeker(
        player_id=record["player_id"],
        ticket=record["ticket"],
        wishes=Wishes(
            record["topic_id"],
            record["question_count"],
            record["time_limit_s"],
            Pace(record["pace"]),
            ScoringProfile(record["scoring"]),
        ),
        rating=record["rating"],
        deviation=record["deviation"],
        since=record["since"],
        met=met,
        blocked=blocked,
    )
