"""Matches played by the rules alone, change by change, as a committer would save them."""

from dataclasses import dataclass
from uuid import uuid4

from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    PairPlayers,
    StartMatch,
    SubmitAnswer,
    Tick,
    Topic,
)
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from pairquiz_server.store.rows import Change
from tests.store.numbered import Matches

NOW = 1_700_000_000_000
WAITING_TTL_MS = 600_000
READY_TTL_MS = 300_000
PATIENCE = Patience()
ANNA = Player("guest:anna", PlayerKind.GUEST, "Anna")
BEN = Player("ben", PlayerKind.USER, "Ben")
LEAD_MS = 200
PAUSE_MS = 2_000
CARA = Player("cara", PlayerKind.USER, "Cara")


@dataclass(frozen=True)
class Board:
    """What a match is played on: a topic, and the questions that are drawn from it when it starts."""

    topic: Topic
    draw: tuple[MatchQuestion, ...]

    def created(
        self,
        creator: Player = ANNA,
        *,
        at: int = NOW,
        join_code: str | None = None,
        request_id: str | None = None,
        pace: Pace = Pace.FREE,
    ) -> Change:
        command = CreateMatch(
            match_id=str(uuid4()),
            player=creator,
            topic=self.topic,
            join_code=join_code or uuid4().hex[:8].upper(),
            question_count=len(self.draw),
            time_limit_s=30,
            scoring=Scoring(100, 50),
            waiting_ttl_ms=WAITING_TTL_MS,
            request_id=request_id,
            pace=pace,
        )
        return _change(None, command, at)

    def started(self, match: Match, *, at: int = NOW) -> Change:
        starter = match.seats[0].player.id
        command = StartMatch(match_id=match.id, player_id=starter, draw=self.draw, lead_ms=LEAD_MS, pause_ms=PAUSE_MS)
        return _change(match, command, at)

    def running(self, pace: Pace = Pace.FREE) -> list[Change]:
        """A match up to its start."""
        created = self.created(pace=pace)
        ready = joined(created.match)
        return [created, ready, self.started(ready.match)]

    def match_in_first_round(self) -> list[Change]:
        """One has answered."""
        changes = self.running(Pace.ROUNDS)
        return [*changes, answered(changes[-1].match, 1, 0, choice=2, at=NOW + 10)]

    def match_between_rounds(self) -> list[Change]:
        """One has missed the first round."""
        changes = self.match_in_first_round()
        return [*changes, ended(changes[-1].match)]

    def match_in_later_round(self) -> list[Change]:
        changes = self.match_between_rounds()
        return [*changes, ticked(changes[-1].match)]

    def match_in_rounds_alone(self) -> list[Change]:
        """One is away in the second round."""
        changes = self.match_in_later_round()
        return [*changes, gone(changes[-1].match, 0, at=changes[-1].match.reveals[-1])]

    def forsaken_match_in_rounds(self) -> list[Change]:
        """Both are away, and one for longer than the grace."""
        changes = self.match_in_rounds_alone()
        return [*changes, gone(changes[-1].match, 1, at=changes[-1].match.reveals[-1] + 5_000)]

    def abandoned_match_in_rounds(self) -> list[Change]:
        changes = self.forsaken_match_in_rounds()
        return [*changes, ended(changes[-1].match)]

    def completed_match_in_rounds(self) -> list[Change]:
        changes = self.match_in_later_round()
        while changes[-1].match.status is Status.IN_PROGRESS:
            match = changes[-1].match
            changes.append(ended(match) if match.closes_at is not None else ticked(match))
        return changes

    def waiting_match(self) -> list[Change]:
        return [self.created(request_id=uuid4().hex)]

    def ready_match(self) -> list[Change]:
        return self.running()[:2]

    def paired_match(self) -> list[Change]:
        """Two players who were brought together for another one: all that such a match may carry."""
        command = PairPlayers(
            match_id=str(uuid4()),
            players=(ANNA, BEN),
            origin=Origin.REMATCH,
            topic=self.topic,
            question_count=len(self.draw),
            time_limit_s=30,
            scoring=Scoring(100, 50, ScoringProfile.ACCURACY),
            pace=Pace.ROUNDS,
            start_delay_ms=3_000,
            ready_ttl_ms=READY_TTL_MS,
            previous_id=str(uuid4()),
            wins=(2, 1),
            ghost=Ghost(str(uuid4()), 1),
            ratings=(1612, 1498),
        )
        return [_change(None, command, NOW)]

    def answered_match(self) -> list[Change]:
        """Both have answered in the same millisecond, in an order that is not the questions'; one is done."""
        changes = self.running()
        for seat, places in ((0, (2, 0, 1)), (1, (1, 2))):
            for place in places:
                changes.append(answered(changes[-1].match, seat, place, choice=place, at=NOW + 10))
        return [*changes, completed(changes[-1].match, 0)]

    def completed_match(self) -> list[Change]:
        changes = self.answered_match()
        return [*changes, completed(changes[-1].match, 1)]

    def forfeited_match(self) -> list[Change]:
        changes = self.running()
        return [*changes, left(changes[-1].match, 1)]

    def waiting_match_alone(self) -> list[Change]:
        """Its creator has gone meanwhile."""
        changes = self.waiting_match()
        return [*changes, gone(changes[-1].match, 0)]

    def ready_match_alone(self) -> list[Change]:
        """Both have gone meanwhile."""
        changes = self.ready_match()
        changes.append(gone(changes[-1].match, 1))
        return [*changes, gone(changes[-1].match, 0, Cause.CONNECTION_LOST)]

    def returned_match(self) -> list[Change]:
        """One was away for a while and is away again, the other was, and is back."""
        changes = self.running()
        for seat, cause in ((0, Cause.CLOSED), (1, Cause.CONNECTION_LOST)):
            changes.append(gone(changes[-1].match, seat, cause, at=NOW + 100))
            changes.append(back(changes[-1].match, seat, at=NOW + 700 + seat))
        return [*changes, gone(changes[-1].match, 0, Cause.CONNECTION_LOST, at=NOW + 5_000)]

    def forsaken_match(self) -> list[Change]:
        changes = self.returned_match()
        return [*changes, ended(changes[-1].match)]

    def forsaken_match_of_both(self) -> list[Change]:
        changes = self.returned_match()
        changes.append(gone(changes[-1].match, 1, at=NOW + 6_000))
        return [*changes, ended(changes[-1].match)]

    def overdue_match(self) -> list[Change]:
        changes = self.running()
        return [*changes, ended(changes[-1].match)]

    def abandoned_match(self) -> list[Change]:
        changes = self.ready_match()
        return [*changes, left(changes[-1].match, 0)]

    def unjoined_match(self) -> list[Change]:
        changes = self.waiting_match()
        return [*changes, ended(changes[-1].match)]

    def unstarted_match(self) -> list[Change]:
        changes = self.ready_match()
        return [*changes, ended(changes[-1].match)]

    def match_that_the_operator_ends(self) -> list[Change]:
        changes = self.ready_match()
        return [*changes, called_off(changes[-1].match)]

    def running_match_that_the_operator_ends(self) -> list[Change]:
        changes = self.running()
        return [*changes, called_off(changes[-1].match)]

    def match_whose_winner_the_operator_names(self) -> list[Change]:
        changes = self.running()
        return [*changes, called_off(changes[-1].match, winner=0)]


def joined(match: Match, player: Player = BEN, *, at: int = NOW) -> Change:
    return _change(match, JoinMatch(match_id=match.id, player=player, ready_ttl_ms=READY_TTL_MS), at)


def answered(match: Match, seat: int, place: int, *, choice: int = 0, at: int = NOW) -> Change:
    """The answer of a seat to the question at a place of the match."""
    player_id, question_id = match.seats[seat].player.id, match.questions[place].id
    command = SubmitAnswer(match_id=match.id, player_id=player_id, question_id=question_id, answer=choice)
    return _change(match, command, at)


def completed(match: Match, seat: int, *, at: int = NOW + 20) -> Change:
    return _change(match, CompleteQuiz(match_id=match.id, player_id=match.seats[seat].player.id), at)


def left(match: Match, seat: int, *, at: int = NOW + 20) -> Change:
    return _change(match, LeaveMatch(match_id=match.id, player_id=match.seats[seat].player.id), at)


def gone(match: Match, seat: int, cause: Cause = Cause.CLOSED, *, at: int = NOW + 20) -> Change:
    player_id = match.seats[seat].player.id
    command = MarkAbsent(match_id=match.id, player_id=player_id, cause=cause, patience=PATIENCE)
    return _change(match, command, at)


def back(match: Match, seat: int, *, at: int = NOW + 30) -> Change:
    return _change(match, MarkPresent(match_id=match.id, player_id=match.seats[seat].player.id), at)


def ended(match: Match) -> Change:
    return _change(match, EndOverdue(match_id=match.id, margin_ms=0), match.due_at)


def called_off(match: Match, winner: int | None = None) -> Change:
    return _change(match, EndMatch(match_id=match.id, winner=winner), NOW + 40)


def ticked(match: Match) -> Change:
    assert match.tick_at is not None
    return _change(match, Tick(match_id=match.id, lead_ms=LEAD_MS), match.tick_at)


def merged(changes: list[Change]) -> Change:
    """Several changes of one match as a batch writes them: from the first version to the last one."""
    return Change(changes[0].from_version, changes[-1].match, tuple(event for one in changes for event in one.events))


async def save_all(matches: Matches, changes: list[Change]) -> Match:
    """Save changes of one match one after the other, and return the match as it is after the last."""
    for change in changes:
        assert not await matches.save([change])
    return changes[-1].match


def _change(match: Match | None, command: Command, at: int) -> Change:
    decision = decide(match, command, at)
    assert decision.events, "the command changed nothing"
    return Change(match.version if match else 0, decision.match, decision.events)
