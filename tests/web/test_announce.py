"""What is told is encoded once for all who hear it, and not at all where nobody does."""

import pytest
from msgspec import Struct

from pairquiz_server.protocol import frames
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from pairquiz_server.web.announce import Announcer
from pairquiz_server.web.guard.buckets import Bucket, Rate
from pairquiz_server.web.identity.auth import Identity
from pairquiz_server.web.sockets.connections import Connection, Connections
from tests.rules.matches import ANNA, BEN, FIRST, JOINED_AT, STARTED_AT, in_progress, ready, start, submit

NOW = STARTED_AT + 1_000


class Line:
    """A session that keeps what is sent to it."""

    def __init__(self) -> None:
        self.queue = self
        self.sent: list[bytes] = []

    def send(self, packet: bytes) -> None:
        self.sent.append(packet)

    async def join(self) -> None:
        """Nothing waits here."""


class Elsewhere:
    """The other nodes, to which some players are connected."""

    def __init__(self, *players: Player) -> None:
        self._here = {player.id for player in players}
        self.told: list[tuple[str, bytes]] = []

    def concerns(self, player_id: str) -> bool:
        return player_id in self._here

    def tell(self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool) -> None:
        self.told.append((player_id, packet))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all events that are encoded."""
    names: list[str] = []
    encode = frames.event

    def event(name: str, payload: Struct) -> bytes:
        names.append(name)
        return encode(name, payload)

    monkeypatch.setattr(frames, "event", event)
    return names


def connect(connections: Connections, player: Player) -> tuple[Connection, list[bytes]]:
    line = Line()
    connection = Connection("sid", Identity(player, 2**50), line, "192.0.2.1", Bucket(Rate(0, 1)))
    connections.add(connection)
    connection.welcome(b"welcome")
    line.sent.clear()
    return connection, line.sent


def announced(
    connections: Connections, match: Match, command: object, origin: object = None, elsewhere: Elsewhere | None = None
) -> None:
    now = JOINED_AT if match.started_at is None else NOW
    decision = decide(match, command, now)  # type: ignore[arg-type]
    Announcer(connections, lambda: now, elsewhere).announce(decision, origin)


def test_an_answer_is_encoded_for_its_hearers_alone(encoded: list[str]) -> None:
    connections = Connections()
    answering, own = connect(connections, ANNA)
    announced(connections, in_progress(), submit(ANNA), answering)
    assert encoded == own == [], "the opponent is away"
    _, other = connect(connections, BEN)
    announced(connections, in_progress(), submit(ANNA), answering)
    assert (encoded, own, len(other)) == (["answer_submitted"], [], 1)
    _, tab = connect(connections, ANNA)
    announced(connections, in_progress(), submit(ANNA), answering)
    assert (len(encoded), own, len(tab), len(other)) == (3, [], 1, 2)


def test_who_hears_nothing_new_still_follows_the_match_to_its_version() -> None:
    connections = Connections()
    answering, _ = connect(connections, ANNA)
    match = in_progress()
    announced(connections, match, submit(ANNA), answering)
    assert connections.followed(ANNA.id) == {match.id: match.version + 1}


def test_what_is_the_same_for_both_is_encoded_once(encoded: list[str]) -> None:
    connections = Connections()
    sent = [connect(connections, player)[1] for player in (ANNA, ANNA, BEN)]
    elsewhere = Elsewhere(BEN)
    announced(connections, ready(), start(), elsewhere=elsewhere)
    assert encoded == ["quiz_started"]
    assert [len(packets) for packets in sent] == [1, 1, 1]
    assert elsewhere.told == [(BEN.id, sent[0][0])]


def test_a_player_who_is_only_elsewhere_is_told_there(encoded: list[str]) -> None:
    elsewhere = Elsewhere(ANNA)
    announced(Connections(), in_progress(), submit(ANNA, FIRST), elsewhere=elsewhere)
    assert encoded == ["answer_submitted"]
    assert [(player_id, b'"you"' in packet) for player_id, packet in elsewhere.told] == [(ANNA.id, True)]
