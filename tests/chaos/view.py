"""What a player knows of one match, from all that it has heard."""

import asyncio
from typing import Any

from tests.chaos.history import Payload

OVER = frozenset({"completed", "abandoned", "expired"})


class View:
    """One match as its player sees it. `changed` is set with each thing heard, and cleared by who waits for it."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.status = "waiting"
        self.pace = "free"
        self.questions: list[dict[str, Any]] = []
        self.answered: set[int] = set()
        """The questions whose answer by this player is known to stand."""
        self.opened: dict[str, Any] | None = None
        """In rounds: the question that may be answered now."""
        self.results: Payload | None = None
        self.changed = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether the match has ended, as far as this player knows."""
        return self.status in OVER

    def hear(self, name: str, payload: Payload) -> None:
        """Take in an event or an acknowledgement of this match."""
        match name:
            case "opponent_joined" | "ack:join_pair_quiz" | "opponent_found":
                self._rise("ready")
            case "quiz_started" | "ack:start_quiz":
                self.questions, self.pace = payload["questions"], payload.get("pace", "free")
                self._rise("in_progress")
            case "round_opened":
                self.opened = payload["question"]
                self._rise("in_progress")
            case "round_closed" if self.opened is not None and payload["question_id"] == self.opened["id"]:
                self.opened = None
            case "answer_submitted" | "ack:submit_answer" if payload["player"] == "you":
                self.answered.add(payload["question_id"])
            case "quiz_results":
                self.results = payload
                self.status = "completed"
            case "session_expired":
                self.status = "expired"
            case "quiz_state" | "ack:resume_pair_quiz":
                self._whole(payload)
        self.changed.set()

    def _whole(self, state: Payload) -> None:
        if not self.over:
            self.status = state["status"]
        self.pace = state.get("pace", "free")
        if self.pace == "rounds":
            now = state.get("round")
            self.opened = state["questions"][-1] if now and now["closes_at"] is not None else None
        else:
            self.questions = state["questions"] or self.questions
        self.results = state.get("results") or self.results
        self.answered.update(int(question_id) for question_id in state["your_answers"])

    def _rise(self, status: str) -> None:
        """A late event of an earlier state takes nothing back."""
        order = ("waiting", "ready", "in_progress")
        if self.status in order and order.index(status) > order.index(self.status):
            self.status = status
