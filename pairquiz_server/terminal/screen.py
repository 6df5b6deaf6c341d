"""A duel on a screen: drawn in place, and gone when it is over; the results stay."""

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard
from pairquiz_server.client.line import BACK, LOST
from pairquiz_server.protocol.events import OwnAnswer, QuestionView, RoundOpened
from pairquiz_server.terminal import words
from pairquiz_server.terminal.picture import WIDTH, Moment, Verdict, picture
from pairquiz_server.terminal.results import Choice, Reviewed, review


class Screen:
    """Draws a duel, at most `WIDTH` columns wide."""

    def __init__(self, console: Console, url: str, clock: ServerClock) -> None:
        self._console = console
        self._url = url
        self._clock = clock
        self._duel: Duel | None = None
        self._question: QuestionView | None = None
        self._verdict: Verdict | None = None
        self._online = True
        self._notice = ""
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()

    def hear(self, heard: Heard, before: Duel | None, now: Duel | None) -> None:
        """Take an event into the picture."""
        self._duel = now
        if heard.name in (LOST, BACK):
            self._online = heard.name == BACK
        if isinstance(heard.event, OwnAnswer) and now is not None:
            self._notice = ""
            options = {question.id: question.options for question in now.questions}[heard.event.question_id]
            self._verdict = Verdict(words.judged(heard.event, options), heard.event.correct)
        if isinstance(heard.event, RoundOpened):
            self._verdict = None
        if self._question is not None and (now is None or now.question != self._question):
            self._question = None
        self.draw()

    def asks(self, question: QuestionView, duel: Duel) -> None:
        """Show a question."""
        self._question, self._duel, self._notice = question, duel, ""
        self.draw()

    def says(self, sentence: str) -> None:
        """Show a sentence, until there is another one."""
        self._notice = sentence
        self.draw()

    def draw(self) -> None:
        """Draw what there is at this moment."""
        moment = Moment(self._duel, self._question, self._verdict, self._online, self._notice, self._url)
        self._live.update(Constrain(picture(moment, self._clock), WIDTH), refresh=True)

    def close(self, duel: Duel | None) -> None:
        """Take the picture away, and leave the results in its place."""
        self._live.stop()
        if duel is None or not duel.over:
            if self._notice:
                self._console.print(Text(self._notice))
            return
        if duel.results is None:
            self._console.print(Text(words.expiry(duel), style="bold"))
            return
        style = {"won": "bold green", "lost": "bold red"}.get(duel.results.outcome, "bold")
        self._console.print(Constrain(_review(duel), WIDTH))
        self._console.print(Constrain(Padding(Text(words.outcome(duel.results), style=style), (1, 0, 0, 0)), WIDTH))


def _review(duel: Duel) -> RenderableType:
    them = words.name_of(duel.opponent)
    return Group(*(_reviewed(one, them) for one in review(duel)))


def _reviewed(one: Reviewed, them: str) -> RenderableType:
    answers = Table.grid(padding=(0, 1))
    answers.add_column(max_width=16, no_wrap=True, overflow="ellipsis")
    answers.add_column(ratio=1)
    answers.add_column(justify="right", no_wrap=True)
    if not (one.yours.right or one.theirs.right):
        answers.add_row("right", Text(one.right), "")
    answers.add_row("you", _choice(one.yours), one.yours.points)
    if one.receipt is not None:
        answers.add_row("", Text(one.receipt, style="dim"), "")
    answers.add_row(Text(them), _choice(one.theirs), one.theirs.points)
    if one.explanation is not None:
        answers.add_row("", Text(one.explanation, style="italic"), "")
    question = Text(f"{one.number}. {one.question}", style="bold")
    return Padding(Group(question, Padding(answers, (0, 0, 0, 3))), (1, 0, 0, 0))


def _choice(choice: Choice) -> Text:
    if choice.option is None:
        return Text("nothing", style="dim")
    mark, style = ("✓", "green") if choice.right else ("✗", "red")
    return Text(f"{mark} {choice.option}", style=style)
