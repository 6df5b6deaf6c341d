"""A duel as JSON, one object a line: each event as the protocol has it, with its name as `event`."""

import json
from collections.abc import Callable

from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard
from pairquiz_server.protocol.events import QuestionView


class Records:
    """Writes what happens for a machine."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def hear(self, heard: Heard, before: Duel | None, now: Duel | None) -> None:
        """Write an event; a token stays here."""
        said = {key: value for key, value in heard.said.items() if key not in ("ok", "guest_token")}
        self._record(heard.name, **said)

    def asks(self, question: QuestionView, duel: Duel) -> None:
        """Write that a question waits for a line with 1 to 4."""
        self._record("your_turn", session_id=duel.session_id, question_id=question.id, options=len(question.options))

    def says(self, sentence: str) -> None:
        """Write what the terminal itself has to say."""
        self._record("notice", message=sentence)

    def draw(self) -> None:
        """Write nothing: time alone is no news."""

    def close(self, duel: Duel | None) -> None:
        """Write nothing: `quiz_results` and `quiz_state` have said it."""

    def _record(self, event: str, **said: object) -> None:
        self._write(json.dumps({"event": event, **said}))
