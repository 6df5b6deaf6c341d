"""What the screen shows at one moment of a duel, in rich; drawn anew for each."""

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.duel import Duel
from pairquiz_server.protocol.events import OpponentState, QuestionView
from pairquiz_server.terminal import words

WIDTH = 79
"""One less than the narrowest usual terminal has: some break a line that is full."""
_NAME_MAX = 30
_GOOD, _BAD, _KEY = "bold green", "bold red", "bold cyan"


class Verdict(Struct, frozen=True):
    """What the last answer was worth, in words."""

    text: str
    right: bool


class Moment(Struct, frozen=True):
    """All that a picture is made of; `notice` is the last thing that the terminal itself had to say."""

    duel: Duel | None
    question: QuestionView | None
    verdict: Verdict | None
    online: bool
    notice: str
    url: str


def picture(moment: Moment, clock: ServerClock) -> RenderableType:
    """Return what there is to see."""
    duel = moment.duel
    if duel is None:
        parts: list[RenderableType] = [_line("Looking for somebody …")]
    elif duel.status == "waiting":
        parts = [_invitation(duel, moment.url)]
    elif duel.status == "ready":
        parts = [_ready(duel, clock)]
    else:
        parts = [_heading(duel, moment.question), _scores(duel), _time(duel, clock), *_middle(moment, duel, clock)]
    return Padding(Group(*parts, *_below(moment, clock)), (1, 2, 0, 2))


def _invitation(duel: Duel, url: str) -> RenderableType:
    ways = Table.grid(padding=(0, 2))
    ways.add_row("code", Text(duel.join_code or "", style=_KEY))
    ways.add_row("link", Text(words.link(duel, url)))
    ways.add_row("terminal", Text(words.invitation(duel, url)))
    return Panel(
        Group(Text(words.terms(duel)), Text(), ways), title="Waiting for somebody", title_align="left", padding=(1, 2)
    )


def _ready(duel: Duel, clock: ServerClock) -> RenderableType:
    them = Text.assemble("You play against ", (words.name_of(duel.opponent), "bold"))
    if duel.starts_at is None:
        begin = Text.assemble("Press ", ("Enter", _KEY), " to begin.")
    else:
        begin = Text(f"It begins in {words.clock(clock.seconds_until(duel.starts_at))}.")
    return Panel(Group(them, Text(words.terms(duel)), Text(), begin), title="Ready", title_align="left", padding=(1, 2))


def _heading(duel: Duel, question: QuestionView | None) -> RenderableType:
    row = Table.grid(expand=True)
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    place = "" if question is None else f"Question {duel.place_of(question)} of {duel.question_count}"
    row.add_row(Text(words.shown(duel.topic), style="bold"), Text(place, style="bold"))
    return row


def _scores(duel: Duel) -> RenderableType:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(max_width=_NAME_MAX, no_wrap=True, overflow="ellipsis")
    rows.add_column(justify="right", min_width=5)
    rows.add_row("You", Text(str(duel.score), style="bold"), f"{len(duel.answered)} answered")
    them = duel.opponent
    if them is not None:
        done = "done" if them.completed else f"{them.answered} answered"
        progress = "" if duel.in_rounds else done
        rows.add_row(words.name_of(them), Text(str(them.score), style="bold"), progress)
    return rows


def _time(duel: Duel, clock: ServerClock) -> RenderableType:
    """Return a bar that shortens as the time of the match, or of the round, goes by."""
    ends_at, whole_s = duel.deadline_at, duel.question_count * duel.time_limit
    if duel.in_rounds:
        ends_at, whole_s = (duel.round.closes_at if duel.round else None), duel.time_limit
    if ends_at is None or duel.over:
        return Text()
    left = min(clock.seconds_until(ends_at), whole_s)
    style = "green" if left > whole_s / 2 else "yellow" if left > whole_s / 5 else "red"
    row = Table.grid(padding=(0, 2))
    row.add_row(
        ProgressBar(total=whole_s, completed=left, width=56, complete_style=style, finished_style=style),
        Text(words.clock(left), style=f"bold {style}"),
    )
    return row


def _middle(moment: Moment, duel: Duel, clock: ServerClock) -> list[RenderableType]:
    question = moment.question
    if question is None:
        them = words.name_of(duel.opponent)
        if duel.in_rounds and duel.round is not None and duel.round.next_at is not None:
            return [_line(f"The next question in {words.clock(clock.seconds_until(duel.round.next_at))}.")]
        return [_line(f"You have answered: {them} is still thinking." if not duel.over else "")]
    options = Table.grid(padding=(0, 2))
    for number, option in enumerate(question.options, 1):
        options.add_row(Text(f" {number}", style=_KEY), Text(words.shown(option)))
    return [Text(), Text(words.shown(question.text), style="bold"), Text(), options]


def _below(moment: Moment, clock: ServerClock) -> list[RenderableType]:
    said: list[RenderableType] = []
    if moment.verdict is not None:
        mark, style = ("✓ ", _GOOD) if moment.verdict.right else ("✗ ", _BAD)
        said += [Text(), Text.assemble((mark + moment.verdict.text, style))]
    if (them := _absent(moment.duel)) is not None:
        left = None if them.reconnect_by is None else clock.seconds_until(them.reconnect_by)
        said += [Text(), Text(words.away(them, left), style="yellow")]
    if not moment.online:
        said += [Text(), Text("The connection is lost: coming back. No answer is lost.", style=_BAD)]
    if moment.notice:
        said += [Text(), Text(moment.notice)]
    keys = "1 to 4 answers · Ctrl+C gives up" if moment.question else "Ctrl+C leaves"
    return [*said, Text(), Text(keys, style="dim")]


def _absent(duel: Duel | None) -> OpponentState | None:
    if duel is None or duel.over or duel.opponent is None or duel.opponent.connected:
        return None
    return duel.opponent


def _line(text: str) -> RenderableType:
    return Group(Text(), Text(text))
