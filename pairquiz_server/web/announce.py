"""A committed decision → packets to the connections of those whom it concerns."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol, assert_never

from msgspec import Struct

from pairquiz_server.engine.maintenance import Notice
from pairquiz_server.engine.search import SearchNews
from pairquiz_server.protocol import frames, views
from pairquiz_server.protocol.events import (
    Completed,
    Maintenance,
    OpponentDisconnected,
    OpponentLeft,
    OpponentReconnected,
    OpponentSearch,
    RematchRequested,
    SessionDelayed,
)
from pairquiz_server.protocol.words import AwayCause
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import (
    AnswerAccepted,
    MatchCreated,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    Milestone,
    PlayerAbsent,
    PlayerCompleted,
    PlayerForfeited,
    PlayerJoined,
    PlayerLeft,
    PlayerReturned,
    PlayersPaired,
    RoundClosed,
    RoundOpened,
)
from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.player import GHOST_ID
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.nodes import Beat, MovedMatch
from pairquiz_server.web.sockets.connections import Connection, Connections

Shape = Callable[[], Struct]
"""Makes an event's payload. What is the same for both players is one shape, and is made and encoded once."""
Message = tuple[int, str, Shape]
"""To which seat, the event's name, and its shape."""
ANSWERED = "answer_submitted"


class Elsewhere(Protocol):
    """Brings a packet of a match to the connections that a player may have at other nodes, and never waits."""

    def concerns(self, player_id: str) -> bool:
        """Tell whether a player may have any."""

    def tell(self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool) -> None:
        """Take a packet for a player whom it concerns; `live` tells whether the match goes on."""


REPLIES = frozenset({ANSWERED, "quiz_state"})
"""The events that the command's own connection has had as its reply; all others it hears like everybody."""

FOUND = frozenset({Origin.SEARCH, Origin.GHOST})
"""How those came together who are told so by `opponent_found`."""


class Announcer:
    """Tells players what has happened. Whoever caused it has had a reply: `origin` is that connection.

    `elsewhere` is None where this is the only node.
    """

    def __init__(self, connections: Connections, now: Callable[[], int], elsewhere: Elsewhere | None = None) -> None:
        self._connections = connections
        self._now = now
        self._elsewhere = elsewhere

    def announce(self, decision: Decision, origin: object) -> None:
        """Send each event of a committed decision, encoded if anybody hears it. Never waits."""
        match = decision.match
        live = match.status in LIVE
        for event in decision.events:
            if isinstance(event, AnswerAccepted):
                self._announce_answer(match, live, event, origin)
            else:
                self._announce_milestone(match, live, event, origin)

    def _announce_answer(self, match: Match, live: bool, event: AnswerAccepted, origin: object) -> None:
        """Tell both players of an answer, each what it may know. Nine of ten events are one: the way is short."""
        seats, seat, hearers, elsewhere = match.seats, event.seat, self._connections.hearers, self._elsewhere
        player_id = seats[seat].player.id
        here = hearers(player_id, match.id, match.version, live, origin)
        if here or (elsewhere and elsewhere.concerns(player_id)):
            own = views.own_answer(match, seat, event.answer, event.version)
            self._send(match, live, player_id, here, frames.event(ANSWERED, own))
        player_id = seats[1 - seat].player.id
        here = hearers(player_id, match.id, match.version, live)
        if here or (elsewhere and elsewhere.concerns(player_id)):
            self._send(match, live, player_id, here, frames.event(ANSWERED, views.opponent_answer(match, event)))

    def _announce_milestone(self, match: Match, live: bool, event: Milestone, origin: object) -> None:
        encoded: Shape | None = None
        packet, hearers, elsewhere = b"", self._connections.hearers, self._elsewhere
        for seat, name, shape in self._messages(match, event):
            player_id = match.seats[seat].player.id
            here = hearers(player_id, match.id, match.version, live, origin if name in REPLIES else None)
            away = elsewhere if elsewhere and elsewhere.concerns(player_id) else None
            if here or away:
                if shape is not encoded:
                    packet, encoded = frames.event(name, shape()), shape
                for connection in here:
                    connection.send(packet)
                if away:
                    away.tell(player_id, match.id, packet, version=match.version, live=live)

    def _send(
        self, match: Match | MovedMatch, live: bool, player_id: str, here: Sequence[Connection], packet: bytes
    ) -> None:
        for connection in here:
            connection.send(packet)
        if self._elsewhere and self._elsewhere.concerns(player_id):
            self._elsewhere.tell(player_id, match.id, packet, version=match.version, live=live)

    def announce_rematch(self, match: Match, seat: int) -> None:
        """Tell the player of a seat that the other one asks for a rematch of a match that is over."""
        player_id = match.seats[seat].player.id
        here = self._connections.hearers(player_id, match.id, match.version, live=False)
        if here or (self._elsewhere and self._elsewhere.concerns(player_id)):
            packet = frames.event("rematch_requested", RematchRequested(match.id, match.version))
            self._send(match, False, player_id, here, packet)

    def announce_delay(self, beat: Beat) -> None:
        """Tell the players of all matches whose clocks an outage has moved."""
        for match in beat.moved:
            for player_id, opponent_reconnect_by in (
                (match.player1_id, match.player2_reconnect_by),
                (match.player2_id, match.player1_reconnect_by),
            ):
                if player_id is not None:
                    delayed = SessionDelayed(
                        session_id=match.id,
                        delayed_ms=beat.gap_ms,
                        deadline_at=match.deadline_at,
                        server_time=beat.now,
                        version=match.version,
                        opponent_reconnect_by=opponent_reconnect_by,
                        ghost=GHOST_ID in (match.player1_id, match.player2_id),
                        round=views.round_state(match.reveals, match.closes_at, match.tick_at),
                    )
                    packet = frames.event("session_delayed", delayed)
                    here = self._connections.hearers(player_id, match.id, match.version, live=True)
                    self._send(match, True, player_id, here, packet)

    def announce_maintenance(self, notice: Notice | None) -> None:
        """Tell everybody that no match begins for a while, or that they do again; who comes meanwhile hears it, too."""
        told = Maintenance(
            on=notice is not None,
            server_time=self._now(),
            message=None if notice is None else notice.message,
            until=None if notice is None else notice.until,
        )
        self._connections.proclaim(frames.event("maintenance", told), stands=notice is not None)

    def announce_search(self, player_id: str, news: SearchNews) -> None:
        """Tell a player how the search for an opponent goes."""
        packet = frames.event("opponent_search", OpponentSearch(news.waited_ms, news.rating_range, news.seeking))
        for connection in self._connections.of(player_id):
            connection.send(packet)

    def announce_end(self, player_id: str, why: Refused) -> None:
        """Tell a player that the search for an opponent is over without one."""
        packet = frames.refusal_event(why, "find_opponent")
        for connection in self._connections.of(player_id):
            connection.send(packet)

    def _messages(self, match: Match, event: Milestone) -> Iterator[Message]:
        """Say who hears what of an event. Each change reaches every connection of the match once.

        What every match has stands first.
        """
        match event:
            case PlayerCompleted(seat=seat, by_command=by_command):
                yield (
                    1 - seat,
                    "opponent_completed",
                    partial(Completed, match.id, event.score, event.version, ghost=match.ghost is not None),
                )
                if by_command:
                    yield seat, "quiz_state", self._state(match, seat)
            case MatchEnded():
                for seat in (0, 1):
                    yield seat, "quiz_results", partial(views.quiz_results, match, seat)
            case MatchStarted():
                yield from _to_all(match, "quiz_started", partial(views.quiz_started, match))
            case MatchCreated():
                yield 0, "quiz_created", partial(views.quiz_created, match)
            case PlayersPaired() if match.origin in FOUND:
                for seat in (0, 1):
                    yield seat, "opponent_found", partial(views.opponent_found, match, seat)
            case PlayerJoined() | PlayersPaired():
                for seat in (0, 1):
                    yield seat, "opponent_joined", partial(views.opponent_joined, match, seat)
            case RoundOpened():
                yield from _to_all(match, "round_opened", partial(views.round_opened, match, event))
            case RoundClosed():
                for seat in (0, 1):
                    yield seat, "round_closed", partial(views.round_closed, match, event, seat)
            case PlayerLeft(seat=seat):
                if len(match.seats) == 2:
                    gone = partial(OpponentDisconnected, match.id, AwayCause.LEFT, event.version)
                    yield 1 - seat, "opponent_disconnected", gone
                    yield 1 - seat, "opponent_left", partial(OpponentLeft, match.id, event.version)
                if match.status is Status.ABANDONED:
                    yield seat, "quiz_state", self._state(match, seat)
            case PlayerAbsent(seat=seat, absence=absence):
                if len(match.seats) == 2:
                    away = partial(views.opponent_disconnected, match, absence, version=event.version)
                    yield 1 - seat, "opponent_disconnected", away
                # Who has come back already, faster than that was noted, must not miss a version.
                yield seat, "quiz_state", self._state(match, seat)
            case PlayerReturned(seat=seat):
                if len(match.seats) == 2:
                    yield 1 - seat, "opponent_reconnected", partial(OpponentReconnected, match.id, event.version)
                yield seat, "quiz_state", self._state(match, seat)
            case PlayerForfeited(seat=seat):
                yield 1 - seat, "opponent_left", partial(OpponentLeft, match.id, event.version)
            case MatchExpired():
                yield from _to_all(match, "session_expired", partial(views.session_expired, match, event))
            case _:
                assert_never(event)

    def _state(self, match: Match, seat: int) -> Shape:
        """The match as it was just committed, for a change that its own player's other tabs hear in no other way."""
        return partial(views.quiz_state, match, seat, self._now())


def _to_all(match: Match, name: str, shape: Shape) -> Iterator[Message]:
    """Say the same to every player."""
    for seat in range(len(match.seats)):
        yield seat, name, shape
