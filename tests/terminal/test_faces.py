"""What is shown fits into the terminal, and nothing in it is obeyed by one."""

import io
import json
import re
from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard, hear
from pairquiz_server.protocol.events import (
    Accuracy,
    OpponentBrief,
    OpponentState,
    QuestionResult,
    QuestionView,
    QuizResults,
    Receipt,
    RoundState,
)
from pairquiz_server.protocol.words import OpponentKind
from pairquiz_server.terminal import results, words
from pairquiz_server.terminal.face import Face
from pairquiz_server.terminal.lines import Lines
from pairquiz_server.terminal.picture import WIDTH, Moment, Verdict, picture
from pairquiz_server.terminal.records import Records
from pairquiz_server.terminal.screen import Screen

ATTACK = "\x1b]0;title\x07\x1b[2J\x9b31m\r\n\u202e[bold]x[/bold]"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
URL = "https://a-server-with-a-rather-long-name.quiz.example:8443"

QUESTION = QuestionView(
    id=7,
    text=" ".join(["Which of these 日本語 words"] * 12) + ATTACK,
    options=("short", "long " * 40, "x" * 120, "🇩🇪 flags and 👩‍👩‍👧 families" + ATTACK),
    kind="single_choice",
)
NAME = "A name of forty characters, as long as it" + ATTACK
OPPONENT = OpponentState(
    NAME,
    True,
    OpponentKind.PLAYER,
    answered=2,
    score=250,
    completed=False,
)
WAITING = Duel(
    session_id=SESSION,
    topic="A topic " * 10,
    status="waiting",
    pace="free",
    question_count=5,
    time_limit=30,
    version=1,
    whole_at=1,
    join_code="7KQ2M3XP",
)
READY = replace(WAITING, status="ready", opponent=OPPONENT, join_code=None)
RUNNING = replace(READY, status="in_progress", questions=(QUESTION,), started_at=0, deadline_at=150_000)
ROUND = replace(RUNNING, pace="rounds", deadline_at=None, round=RoundState(0, 0, 30_000, None))
BETWEEN = replace(ROUND, round=RoundState(0, 0, None, 32_000))
AWAY = replace(RUNNING, opponent=replace(OPPONENT, connected=False, cause="closed", reconnect_by=9_000))
OVER = replace(
    RUNNING,
    status="completed",
    results=QuizResults(
        session_id=SESSION,
        your_score=142,
        opponent_score=-34,
        your_accuracy=Accuracy(1, 1, 1),
        opponent_accuracy=Accuracy(0, 1, 1),
        outcome="won",
        reason="all_answered",
        questions=[
            QuestionResult(
                7, 1, 1, 3, 142, -34, Receipt(5_000, 12, 4_988, 142, "right: 100, for speed: 42"), "Because. " * 20
            )
        ],
        opponent=OpponentBrief("them", "player"),
        version=9,
    ),
)
DUELS = [WAITING, READY, replace(READY, starts_at=3_000), RUNNING, ROUND, BETWEEN, AWAY]


class Stopped(ServerClock):
    """A clock that stands at the beginning."""

    def now(self) -> float:
        return 1_000.0


def console(width: int, file: io.StringIO | None = None) -> Console:
    return Console(width=width, height=24, file=file or io.StringIO(), color_system=None, force_terminal=True)


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("duel", [None, *DUELS])
@pytest.mark.parametrize("online", [True, False])
def test_no_line_of_the_picture_is_wider_than_the_terminal(width: int, duel: Duel | None, online: bool) -> None:
    question = duel.question if duel else None
    moment = Moment(duel, question, Verdict("Wrong: 0. It was " + "x" * 90, right=False), online, "A notice.", URL)
    rows = console(width).render_lines(picture(moment, Stopped()), pad=False)
    for row in rows:
        text = "".join(segment.text for segment in row)
        assert cell_len(text) <= width, text
        assert not CONTROL.search(text)


def test_a_usual_question_fits_into_the_smallest_usual_terminal() -> None:
    usual = QuestionView(
        7, "What is the capital of Australia?", ("Sydney", "Canberra", "Perth", "Hobart"), "single_choice"
    )
    duel = replace(AWAY, questions=(usual,))
    moment = Moment(duel, usual, Verdict("Right: 100, for speed: 42.", right=True), True, "", URL)
    assert len(console(80).render_lines(picture(moment, Stopped()))) <= 24


def played(face: Face) -> None:
    """Let a face show all there is."""
    before: Duel | None = None
    for duel in [*DUELS, OVER]:
        face.hear(Heard("quiz_state", {"ok": True, "topic": ATTACK}, None), before, duel)
        before = duel
    said = {
        "question_id": 7,
        "player": "you",
        "session_id": SESSION,
        "correct": False,
        "correct_option": 3,
        "points": 0,
        "score": 0,
        "receipt": {"arrived_at": 5, "lag_credit_ms": 12, "judged_at": 4, "points": 0, "reason": "wrong" + ATTACK},
        "version": 4,
    }
    face.hear(hear("answer_submitted", said), RUNNING, RUNNING)
    for name, more in [
        ("answer_submitted", {"player": "opponent", "question_id": 7, "answered": 3, "score": 300}),
        ("opponent_completed", {"score": 300}),
        ("opponent_disconnected", {"cause": "closed", "reconnect_by": 9_000}),
        ("opponent_reconnected", {}),
        ("connection_lost", {}),
        ("connection_back", {}),
    ]:
        face.hear(hear(name, {"session_id": SESSION, "version": 5, **more}), RUNNING, RUNNING)
    face.asks(QUESTION, RUNNING)
    face.draw()
    face.says("Type a number from 1 to 4.")
    face.close(OVER)


@pytest.mark.parametrize("character", ["\n", "\x1b", "\x9b", "\u202e", "\u2028", "\u2029"])
def test_what_breaks_a_line_or_moves_a_cursor_is_a_space(character: str) -> None:
    assert words.shown(f"one{character}two") == "one two"


def test_plain_lines_have_no_control_characters_and_say_everything() -> None:
    said: list[str] = []
    played(Lines(said.append, URL, Stopped()))
    assert not [line for line in said if CONTROL.search(line) or "\n" in line]
    whole = "\n".join(said)
    for fact in (
        "7KQ2M3XP",
        f"{URL}/pair-quiz/{SESSION}",
        "Question 1 of 5, 2:29 left",
        "  4  ",
        "Wrong",
        "12 ms credited",
        "is away, and has 0:08 to come back",
        "The connection is lost",
        "right: 100, for speed: 42; after 5.0 s, 12 ms of it credited",
        "You have won, 142 : -34 (everything is answered).",
        "Because.",
    ):
        assert fact in whole, fact


def test_records_are_one_object_a_line_and_keep_tokens_to_themselves() -> None:
    said: list[str] = []
    face = Records(said.append)
    played(face)
    face.hear(Heard("welcome", {"guest_token": "secret", "user_id": "guest:x"}, None), None, None)
    objects = [json.loads(line) for line in said]
    assert not [line for line in said if CONTROL.search(line) or not line.isascii()]
    assert objects[-1] == {"event": "welcome", "user_id": "guest:x"}
    assert {"event": "your_turn", "session_id": SESSION, "question_id": 7, "options": 4} in objects
    assert "ok" not in objects[0]


def test_a_screen_leaves_the_results_and_obeys_nobody_but_rich() -> None:
    file = io.StringIO()
    played(Screen(console(80, file), URL, Stopped()))
    written = file.getvalue()
    assert "\x1b]" not in written
    assert "\x9b" not in written
    assert "\x1b[2J" not in written
    assert "[bold]" in written  # as somebody wrote it
    left = written[written.rindex("1. ") :]
    assert "You have won, 142 : -34" in left
    assert "right: 100, for speed: 42" in left


def test_a_wide_terminal_is_not_filled() -> None:
    file = io.StringIO()
    played(Screen(console(200, file), URL, Stopped()))
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert max(cell_len(line) for line in re.split(r"[\r\n]+", written)) <= WIDTH < 80


def test_the_review_names_both_answers_to_each_question() -> None:
    (one,) = results.review(OVER)
    assert (one.yours.right, one.yours.points) == (True, "+142")
    assert (one.theirs.right, one.theirs.points) == (False, "-34")
    assert one.right == one.yours.option


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (lambda: words.clock(0), "0:00"),
        (lambda: words.clock(0.2), "0:01"),
        (lambda: words.clock(125), "2:05"),
        (lambda: words.count(1, "question"), "1 question"),
        (lambda: words.points(0), "0"),
        (lambda: words.expiry(replace(WAITING, expired="nobody_joined")), "Nobody has come: the match is over."),
        (lambda: words.expiry(replace(WAITING, expired="something new")), "The match is over."),
    ],
)
def test_small_words(say: Callable[[], str], said: str) -> None:
    assert say() == said


def test_what_the_protocol_does_not_say_is_refused_in_one_line() -> None:
    from pairquiz_server.client.errors import ClientError

    with pytest.raises(ClientError, match="the same version"):
        hear("quiz_started", {"session_id": 3})
    assert hear("an_event_of_tomorrow", {"x": 1}).event is None
    assert msgspec.to_builtins(hear("opponent_left", {"session_id": SESSION, "version": 3, "new": 1}).event) == {
        "session_id": SESSION,
        "version": 3,
    }
