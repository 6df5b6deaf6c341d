"""What happens until a match runs: it is created, joined, and started."""

from msgspec.structs import replace

from pairquiz_server.rules import rounds, runs
from pairquiz_server.rules.commands import CreateMatch, Creation, JoinMatch, PairPlayers, StartMatch
from pairquiz_server.rules.decision import Decision, expired, require_move, seat_of_player, wrong_state
from pairquiz_server.rules.errors import Code, Refused, not_enough_questions
from pairquiz_server.rules.events import (
    EndReason,
    Event,
    MatchCreated,
    MatchStarted,
    PlayerAbsent,
    PlayerJoined,
    PlayersPaired,
)
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.terms import Pace


def create(command: CreateMatch, now: int) -> Decision:
    """Open a match, which waits for an opponent."""
    match = _opened(
        command,
        Status.WAITING,
        (Seat(command.player),),
        join_code=command.join_code,
        request_id=command.request_id,
        due_at=now + command.waiting_ttl_ms,
        now=now,
    )
    return Decision(match, (MatchCreated(1),))


def pair(command: PairPlayers, now: int) -> Decision:
    """Open a match for two players who were brought together: it is ready, and starts by itself."""
    first, second = command.players
    match = replace(
        _opened(command, Status.READY, (Seat(first), Seat(second)), due_at=now + command.ready_ttl_ms, now=now),
        joined_at=now,
        origin=command.origin,
        tick_at=now + command.start_delay_ms,
        previous_id=command.previous_id,
        wins=command.wins,
        ghost=command.ghost,
        ratings=command.ratings,
    )
    return Decision(match, (PlayersPaired(1),))


def _opened(
    command: Creation,
    status: Status,
    seats: tuple[Seat, ...],
    *,
    join_code: str = "",
    request_id: str | None = None,
    due_at: int,
    now: int,
) -> Match:
    """Return a new match by the terms that its creation names. Raises `Refused` where the topic is too small."""
    topic, count = command.topic, command.question_count
    if topic.available < count:
        raise not_enough_questions(topic.name, topic.available, count)
    return Match(
        id=command.match_id,
        version=1,
        status=status,
        topic_id=topic.id,
        topic=topic.name,
        question_count=count,
        time_limit_s=command.time_limit_s,
        scoring=command.scoring,
        join_code=join_code,
        request_id=request_id,
        seats=seats,
        created_at=now,
        due_at=due_at,
        pace=command.pace,
    )


def join(match: Match, command: JoinMatch, now: int) -> Decision:
    """Take the free seat."""
    seat = match.seat_of(command.player.id)
    if seat == 0:
        raise Refused(Code.OWN_MATCH)
    if seat == 1:
        return Decision(match, duplicate=True)
    if match.status in (Status.ABANDONED, Status.EXPIRED):
        raise Refused(Code.NOT_FOUND)  # withdrawn or expired, however many seats were taken
    if len(match.seats) == 2:
        raise Refused(Code.SESSION_FULL)
    if now > match.due_at:
        raise Refused(Code.NOT_FOUND)
    after = replace(
        match,
        version=match.version + 1,
        status=Status.READY,
        seats=(*match.seats, Seat(command.player)),
        joined_at=now,
        due_at=now + command.ready_ttl_ms,
    )
    return Decision(after, (PlayerJoined(after.version),))


def start(match: Match, command: StartMatch, now: int) -> Decision:
    """Draw the questions, and let the clock run."""
    seat = None if command.player_id is None else seat_of_player(match, command.player_id)
    if match.started_at is not None:
        return Decision(match, duplicate=True)
    require_move(match, command)
    if command.drawn_for < len(match.seats):
        raise wrong_state("Somebody has just joined the session: start it now")
    if seat is None and (match.tick_at is None or now < match.tick_at):
        return Decision(match)
    if now > match.due_at:
        raise wrong_state("The session has expired: nobody started it in time")
    if len(command.draw) < match.question_count:
        if match.ghost is not None and seat is not None:
            raise wrong_state("The recorded run of this session is gone: leave it, and look for another opponent")
        if seat is None:  # nobody is there to ask for another topic, and there is no time for one
            return expired(match, Status.EXPIRED, EndReason.NEVER_STARTED, now)
        raise not_enough_questions(match.topic, len(command.draw), match.question_count)
    now = match.counts_at(now)  # an outage before the start is no part of the match
    version = match.version + 1
    after = replace(
        match,
        version=version,
        status=Status.IN_PROGRESS,
        seats=tuple(
            replace(one, absence=command.patience.absence_at_start(one.absence.cause, now)) if one.absence else one
            for one in match.seats
        ),
        questions=command.draw,
        started_at=now,
        deadline_at=now + match.span_ms if match.pace is Pace.FREE else None,
        tick_at=None,
        paused_at=None,
        resumed_at=None,
        pause_ms=command.pause_ms,
        run=command.run,
        unrecorded=command.unrecorded,
    )
    opened: tuple[Event, ...] = ()
    if match.pace is Pace.ROUNDS:
        after, event = rounds.with_next(after, command.lead_ms, now)
        opened = (event,)
    elif after.run is not None:
        after = replace(after, tick_at=runs.next_at(after))
    away = tuple(PlayerAbsent(version, index, one.absence) for index, one in enumerate(after.seats) if one.absence)
    return Decision(replace(after, due_at=after.running_due_at()), (MatchStarted(version, seat), *opened, *away))
