"""What a duel needs of whoever shows it."""

from typing import Protocol

from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard
from pairquiz_server.protocol.events import QuestionView


class Face(Protocol):
    """Shows a duel to its player. `says` is for what is no event: one line each."""

    def hear(self, heard: Heard, before: Duel | None, now: Duel | None) -> None:
        """Show an event, and what it has made of the match."""

    def asks(self, question: QuestionView, duel: Duel) -> None:
        """Show that a question waits for its answer."""

    def says(self, sentence: str) -> None:
        """Show something that the player should know, or do."""

    def draw(self) -> None:
        """Show what has changed with time alone; called some times a second."""

    def close(self, duel: Duel | None) -> None:
        """Leave the terminal as it was, with how the match ended where it did."""
