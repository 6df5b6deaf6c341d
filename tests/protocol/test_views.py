"""What a player may see of a match, at any moment of any match: never the right option before its own answer."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pairquiz_server.protocol import views
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    StartMatch,
    SubmitAnswer,
    Topic,
)
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.rematch import Prospect
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Ghost

ID = "01234567-89ab-4cde-8f01-23456789abcd"
PLAYERS = tuple(Player(f"guest:{n}", PlayerKind.GUEST, f"Guest {n}", label="secret label") for n in (1, 2))
QUESTIONS = tuple(
    MatchQuestion(
        id=number,
        text=f"Question {number}?",
        options=("a", "b", "c", "d"),
        correct=number % 4,
        option_order=(0, 1, 2, 3),
        explanation=f"Explanation {number}",
    )
    for number in (1, 2, 3)
)
CREATE = CreateMatch(
    match_id=ID, player=PLAYERS[0], topic=Topic(1, "General", 3), join_code="ABCD1234", question_count=3,
    time_limit_s=30, scoring=Scoring(), waiting_ttl_ms=600_000,
)  # fmt: skip
JOIN = JoinMatch(match_id=ID, player=PLAYERS[1], ready_ttl_ms=600_000)
START = StartMatch(match_id=ID, player_id=PLAYERS[0].id, draw=QUESTIONS)
END = EndOverdue(match_id=ID, margin_ms=0)


def answer(player: int, question: int, option: int) -> SubmitAnswer:
    return SubmitAnswer(match_id=ID, player_id=PLAYERS[player].id, question_id=question, answer=option)


def completing(player: int) -> CompleteQuiz:
    return CompleteQuiz(match_id=ID, player_id=PLAYERS[player].id)


def leaving(player: int) -> LeaveMatch:
    return LeaveMatch(match_id=ID, player_id=PLAYERS[player].id)


def going(player: int, cause: Cause = Cause.CLOSED) -> MarkAbsent:
    return MarkAbsent(match_id=ID, player_id=PLAYERS[player].id, cause=cause, patience=Patience())


def coming_back(player: int) -> MarkPresent:
    return MarkPresent(match_id=ID, player_id=PLAYERS[player].id)


def played(*commands: Command, at: int = 1_000, profile: ScoringProfile = ScoringProfile.SPEED_BONUS) -> Match:
    match = decide(None, msgspec.structs.replace(CREATE, scoring=Scoring(profile=profile)), at).match
    for number, command in enumerate(commands):
        match = decide(match, command, at + number).match
    return match


def wire(struct: msgspec.Struct) -> Any:
    return msgspec.json.decode(msgspec.json.encode(struct))


def keys_of(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


MOVES = st.lists(
    st.sampled_from(
        [JOIN, START, END, *(completing(player) for player in (0, 1)), *(leaving(player) for player in (0, 1))]
        + [going(0), going(1, Cause.CONNECTION_LOST), coming_back(0), coming_back(1)]
        + [answer(*move) for move in itertools.product((0, 1), (1, 2, 3), (0, 1, 2, 3))]
    ),
    max_size=20,
)


@given(prefix=st.integers(0, 2), moves=MOVES, late=st.booleans(), profile=st.sampled_from(ScoringProfile))
def test_no_state_before_the_end_tells_more_than_the_viewers_own_answers(
    prefix: int, moves: list[Command], late: bool, profile: ScoringProfile
) -> None:
    match = played(*(JOIN, START)[:prefix], profile=profile)
    for step, move in enumerate(moves):
        try:
            match = decide(match, move, 2_000 + step + late * 10**7).match
        except Refused:
            continue
        for seat in range(len(match.seats)):
            _check_state(match, seat)


def _check_state(match: Match, seat: int) -> None:
    state = wire(views.quiz_state(match, seat, 5_000))
    own = {str(one.question_id): one for one in match.seats[seat].answers}
    assert state["your_answers"] == {
        key: {"answer": one.chosen, "correct": one.correct, "points": one.points} for key, one in own.items()
    }
    assert ("results" in state) is ("opponent_accuracy" in state) is (match.status is Status.COMPLETED)
    right = sum(one.correct for one in own.values())
    assert state["your_accuracy"] == {"right": right, "answered": len(own), "of": match.question_count}
    assert ("join_code" in state) is (match.status is Status.WAITING)
    assert "secret label" not in str(state)
    assert not any(player.id in str(state) for player in PLAYERS)
    if match.status is not Status.COMPLETED:
        assert not keys_of(state) & {"correct_option", "opponent_answer", "option_order"}
        allowed = {"id", "text", "options", "kind"}
        if match.scoring.profile is ScoringProfile.DIFFICULTY:
            allowed.add("difficulty")
        assert all(question.keys() - {"explanation"} <= allowed for question in state["questions"])
    if match.status in (Status.WAITING, Status.READY, Status.IN_PROGRESS):
        assert "explanation" not in keys_of(state)
        if state["opponent"] is not None:
            absence = match.seats[1 - seat].absence
            away = {"cause", "reconnect_by"} if match.started_at else {"cause"}
            told = {"display_name", "connected", "kind", "answered", "score", "completed"} | (
                away if absence else set()
            )
            assert state["opponent"].keys() == told
            assert state["opponent"]["connected"] is (absence is None)


def test_the_questions_at_the_start_tell_no_answer() -> None:
    match = played(JOIN, START)
    started = wire(views.quiz_started(match))
    assert started == {
        "session_id": str(ID),
        "questions": [
            {"id": one.id, "text": one.text, "options": list(one.options), "kind": "single_choice"} for one in QUESTIONS
        ],
        "time_limit": 30,
        "started_at": 1001,
        "deadline_at": 1001 + 90_000,
        "pace": "free",
        "scoring": "speed_bonus",
        "version": 3,
    }


def test_a_question_carries_its_language_where_it_has_one() -> None:
    german = msgspec.structs.replace(QUESTIONS[0], lang="de")
    match = played(JOIN, msgspec.structs.replace(START, draw=(german, *QUESTIONS[1:])))
    assert [one.get("lang") for one in wire(views.quiz_started(match))["questions"]] == ["de", None, None]


def test_a_question_carries_its_difficulty_where_points_go_by_it() -> None:
    hard = msgspec.structs.replace(QUESTIONS[0], difficulty=Difficulty.HARD)
    start = msgspec.structs.replace(START, draw=(hard, *QUESTIONS[1:]))
    for profile in ScoringProfile:
        started = wire(views.quiz_started(played(JOIN, start, profile=profile)))
        shown = ["hard", "medium", "medium"] if profile is ScoringProfile.DIFFICULTY else [None] * 3
        assert [one.get("difficulty") for one in started["questions"]] == shown
        assert started["scoring"] == profile


def test_a_waiting_match_has_its_fixed_keys() -> None:
    match = played()
    assert wire(views.quiz_created(match)) == {
        "session_id": str(ID),
        "topic": "General",
        "join_url": f"/pair-quiz/{ID}",
        "status": "waiting_for_opponent",
        "join_code": "ABCD1234",
        "pace": "free",
        "scoring": "speed_bonus",
        "version": 1,
    }
    assert wire(views.quiz_created(match, duplicate=True))["duplicate"] is True
    assert wire(views.session(match, 0)) == {
        "session_id": str(ID), "topic": "General", "status": "waiting", "opponent": None,
    }  # fmt: skip


@pytest.mark.parametrize("seat", [0, 1])
def test_a_ready_match_names_the_other_and_whether_it_is_there(seat: int) -> None:
    match = played(JOIN, going(1))
    joined = wire(views.opponent_joined(match, seat))
    assert joined == {
        "session_id": str(ID),
        "status": "ready_to_start",
        "opponent": {"display_name": f"Guest {2 - seat}", "connected": seat == 1, "kind": "player"},
        "version": 3,
    }
    assert wire(views.session(match, seat))["opponent"] == {"display_name": f"Guest {2 - seat}", "kind": "player"}


@pytest.mark.parametrize(("option", "reason"), [(1, "right: 100, for speed: 49"), (0, "wrong: 0")])
def test_an_own_answer_tells_the_right_option_and_its_points_as_a_sum(option: int, reason: str) -> None:
    match = played(JOIN, START, answer(0, 1, option))
    own = wire(views.own_answer(match, 0, match.seats[0].answers[0], version=4))
    points = 149 if option == 1 else 0
    assert own == {
        "question_id": 1,
        "player": "you",
        "session_id": str(ID),
        "correct": option == 1,
        "correct_option": 1,
        "points": points,
        "score": points,
        "receipt": {"arrived_at": 1002, "lag_credit_ms": 0, "judged_at": 1002, "points": points, "reason": reason},
        "version": 4,
    }


@pytest.mark.parametrize(
    ("profile", "right", "wrong"),
    [
        (ScoringProfile.ACCURACY, (100, "right: 100"), (0, "wrong: 0")),
        (ScoringProfile.NEGATIVE, (100, "right: 100"), (-34, "wrong: -34")),
        (ScoringProfile.DIFFICULTY, (150, "right: 150, for a medium question"), (0, "wrong: 0")),
        (ScoringProfile.PRACTICE, (0, "right: practice has no points"), (0, "wrong: practice has no points")),
    ],
)
def test_a_receipt_says_the_sum_of_its_profile(
    profile: ScoringProfile, right: tuple[int, str], wrong: tuple[int, str]
) -> None:
    match = played(JOIN, START, answer(0, 1, 1), answer(0, 2, 0), profile=profile)
    shown = [wire(views.own_answer(match, 0, one, version=match.version))["receipt"] for one in match.seats[0].answers]
    assert [(one["points"], one["reason"]) for one in shown] == [right, wrong]
    assert wire(views.quiz_state(match, 0, 2_000))["your_score"] == right[0] + wrong[0]


@pytest.mark.parametrize("seat", [0, 1])
def test_results_are_each_players_own(seat: int) -> None:
    match = played(JOIN, START, answer(0, 1, 1), answer(1, 1, 2), answer(0, 2, 0), completing(1), completing(0))
    results = wire(views.quiz_results(match, seat))
    mine, theirs = (match.seats[seat], match.seats[1 - seat])
    assert results.keys() == {
        "session_id", "your_score", "opponent_score", "your_accuracy", "opponent_accuracy", "outcome", "reason",
        "questions", "opponent", "version", "series",
    }  # fmt: skip
    assert results["series"] == {"you": 1 - seat, "opponent": seat}
    accuracies = [{"right": 1, "answered": 2, "of": 3}, {"right": 0, "answered": 1, "of": 3}]
    assert [results["your_accuracy"], results["opponent_accuracy"]] == accuracies[:: 1 - 2 * seat]
    assert (results["your_score"], results["opponent_score"]) == (mine.score, theirs.score)
    assert (results["outcome"], results["reason"]) == (("won", "lost")[seat], "all_answered")
    assert results["opponent"] == {"display_name": f"Guest {2 - seat}", "kind": "player"}
    chosen = [(1, 2), (0, None), (None, None)]
    for question, pair, line in zip(QUESTIONS, chosen, results["questions"], strict=True):
        assert (line["id"], line["correct_option"]) == (question.id, question.correct)
        assert (line["your_answer"], line["opponent_answer"]) == (pair[seat], pair[1 - seat])
        assert (line["receipt"] is None) is (pair[seat] is None)
        assert line["explanation"] == question.explanation
    assert sum(line["your_points"] for line in results["questions"]) == mine.score
    assert sum(line["opponent_points"] for line in results["questions"]) == theirs.score


@pytest.mark.parametrize("seat", [0, 1])
def test_a_rematch_shows_how_the_series_stands_for_each(seat: int) -> None:
    made = replace(played(JOIN), previous_id=ID, wins=(2, 1))
    before = {"you": made.wins[seat], "opponent": made.wins[1 - seat]}
    joined = wire(views.opponent_joined(made, seat))
    assert (joined["previous_session_id"], joined["series"]) == (ID, before)
    state = wire(views.quiz_state(made, seat, 0))
    assert (state["previous_session_id"], state["series"]) == (ID, before)
    over = replace(played(JOIN, START, completing(0), answer(1, 1, 1), completing(1)), previous_id=ID, wins=(2, 1))
    after = {"you": 2, "opponent": 2}
    state = wire(views.quiz_state(over, seat, 0, Prospect((True, False), 77, None)))
    assert (state["series"], state["results"]["series"]) == (after, after)
    assert state["rematch"] == {"you": seat == 0, "opponent": seat == 1, "expires_at": 77}


def test_no_series_is_shown_where_there_is_none() -> None:
    for match in (played(JOIN), played(JOIN, START)):
        assert "series" not in wire(views.quiz_state(match, 0, 0))
        assert "series" not in wire(views.opponent_joined(match, 0))
    ghost = replace(played(JOIN, START, completing(0), completing(1)), ghost=Ghost(ID, 1))
    assert "series" not in wire(views.quiz_results(ghost, 0))


@pytest.mark.parametrize(
    ("end", "now", "reasons"),
    [
        (leaving(0), 2_000, ("you_left", "opponent_left")),
        (leaving(1), 2_000, ("opponent_left", "you_left")),
        (END, 10**7, ("deadline", "deadline")),
    ],
)
def test_the_reason_of_an_end_is_said_from_each_side(end: Command, now: int, reasons: tuple[str, str]) -> None:
    match = decide(played(JOIN, START), end, now).match
    assert tuple(views.quiz_results(match, seat).reason for seat in (0, 1)) == reasons


@pytest.mark.parametrize(
    ("away", "reasons"), [(0, ("you_were_absent", "opponent_absent")), (1, ("opponent_absent", "you_were_absent"))]
)
def test_the_end_of_a_grace_is_said_from_each_side(away: int, reasons: tuple[str, str]) -> None:
    match = decide(played(JOIN, START, going(away)), END, 10**5 - 10_000).match
    assert tuple(views.quiz_results(match, seat).reason for seat in (0, 1)) == reasons


@pytest.mark.parametrize(
    ("commands", "now", "remaining"),
    [((), 1_000, None), ((JOIN,), 1_000, None), ((JOIN, START), 1_001, 90_000), ((JOIN, START), 10**9, 0),
     ((JOIN, START, leaving(0)), 1_002, None)],
)  # fmt: skip
def test_the_time_that_remains_is_that_of_a_running_match(
    commands: tuple[Command, ...], now: int, remaining: int | None
) -> None:
    state = wire(views.quiz_state(played(*commands), 0, now))
    assert (state["remaining_ms"], state["server_time"]) == (remaining, now)
    assert state.keys() >= {
        "session_id", "topic", "status", "pace", "time_limit", "started_at", "deadline_at", "remaining_ms",
        "questions", "your_answers", "your_score", "opponent", "version",
    }  # fmt: skip


def test_when_a_ghost_answers_is_told_to_nobody() -> None:
    between, within = views.round_state((1,), None, 7), views.round_state((1,), 9, 7)
    assert between is not None
    assert within is not None
    assert (between.next_at, within.next_at) == (7, None)
