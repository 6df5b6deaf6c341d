"""A small run in which nothing went wrong, for tests to spoil: one match, two questions, and both have answered.

Of two who knew each other, or who have looked for somebody; in free pace, or in rounds.
"""

from typing import Any

from tests.chaos.history import Command, History, Payload
from tests.chaos.ledger import Answer, Ledger, Match, Result

ANN, BEN = "guest:ann", "guest:ben"
MATCH = "6a1f0c3e-0000-4000-8000-000000000001"
STARTED_AT, DEADLINE_AT = 1_000_000, 1_010_000
RIGHT = {11: 0, 12: 3}
REVEALS = (STARTED_AT, STARTED_AT + 1600)
LIMIT_MS = 5000


class Run:
    """A history and a ledger that agree; `ann` and `ben` are the numbers of their connections."""

    def __init__(self, *, searched: bool = False, rounds: bool = False) -> None:
        self.history = History()
        self.ann, self.ben = self.history.connect(0), self.history.connect(0)
        self.answers = [
            Answer(1, 1, 11, 0, True, 100, 40 if rounds else 45, STARTED_AT + 1000, STARTED_AT + 1000),
            Answer(2, 1, 11, 2, False, 0, 0, STARTED_AT + 1500, STARTED_AT + 1500),
            Answer(1, 2, 12, 1, False, 0, 0, STARTED_AT + 2000, STARTED_AT + 2000),
            Answer(2, 2, 12, 3, True, 100, 41 if rounds else 37, STARTED_AT + 2500, STARTED_AT + 2500),
        ]
        self.match = Match(
            id=MATCH,
            version=10 if rounds else 8,
            status="completed",
            question_count=2,
            time_limit_s=5,
            points=100,
            speed_bonus=50,
            request_id=None if searched else "r",
            players=(ANN, BEN),
            scores=(140, 141) if rounds else (145, 137),
            completed_at=(STARTED_AT + 2000, STARTED_AT + 2500),
            started_at=STARTED_AT,
            deadline_at=None if rounds else DEADLINE_AT,
            resumed_at=None,
            due_at=DEADLINE_AT,
            ended_at=STARTED_AT + 2500,
            end_reason="all_answered",
            forfeited_by=None,
            right=dict(RIGHT),
            answers=self.answers,
            pace="rounds" if rounds else "free",
            origin="search" if searched else "invitation",
            reveals=REVEALS if rounds else (),
        )
        weight = 1.0 if searched else 0.0
        self.ledger = Ledger(
            {MATCH: self.match},
            DEADLINE_AT + 60_000,
            results=[Result(MATCH, player, who, weight) for player, who in ((1, ANN), (2, BEN))],
            ratings={ANN: 1, BEN: 1} if searched else {},
        )
        self._meet()
        self._play()

    def ask(self, player: str, kind: str, payload: Payload, answer: Payload | None) -> Command:
        """Note a command and its answer; None is one that never came."""
        connection = self.ann if player == ANN else self.ben
        command = self.history.invoke(player, connection, kind, payload)
        if answer is not None:
            self.history.settle(command, answer)
        return command

    def tell(self, player: str, name: str, /, **payload: Any) -> None:
        """Note an event of the match that reached a player."""
        connection = self.ann if player == ANN else self.ben
        self.history.hear(player, connection, name, {"session_id": MATCH, **payload})

    def of(self, name: str, player: str) -> Payload:
        """Return the payload of the first thing of this name that a player heard, to be spoilt."""
        return next(heard.payload for heard in self.history.heard if (heard.name, heard.player) == (name, player))

    def command(self, kind: str, player: str) -> Command:
        """Return a player's first command of a kind."""
        return next(one for one in self.history.commands if (one.kind, one.player) == (kind, player))

    def submission(self, answer: Answer) -> tuple[Payload, Payload]:
        """Return the payload of an answer, and its acknowledgement without score and version."""
        payload = {
            "session_id": MATCH,
            "question_id": answer.question_id,
            "answer": answer.chosen,
            "chosen": answer.chosen,
        }
        receipt = {"arrived_at": answer.arrived_at, "judged_at": answer.judged_at}
        reply = {
            "ok": True, "session_id": MATCH, "question_id": answer.question_id, "player": "you", "receipt": receipt,
            "correct": answer.correct, "correct_option": RIGHT[answer.question_id], "points": answer.points,
        }  # fmt: skip
        return payload, reply

    def results(self, player: int) -> Payload:
        """Return the results as player 1 or 2 hears them."""
        scores, them = self.match.scores, 3 - player
        mine, theirs = scores[player - 1], scores[them - 1]
        questions = []
        for question_id in RIGHT:
            own, other = self.match.answer(player, question_id), self.match.answer(them, question_id)
            assert own is not None and other is not None  # noqa: PT018
            questions.append(
                {
                    "id": question_id,
                    "your_answer": own.chosen, "your_points": own.points,
                    "opponent_answer": other.chosen, "opponent_points": other.points,
                }
            )  # fmt: skip
        outcome = "won" if mine > theirs else "lost"
        scored = {"your_score": mine, "opponent_score": theirs, "outcome": outcome}
        return {**scored, "questions": questions, "version": self.match.version}

    def _meet(self) -> None:
        session = {"session_id": MATCH}
        if self.match.origin == "search":
            for player in (ANN, BEN):
                self.ask(player, "find_opponent", {}, {"ok": True, "seeking": True})
            for player in (ANN, BEN):
                self.tell(player, "opponent_found", version=2)
            return
        self.ask(ANN, "create_pair_quiz", {"request_id": "r"}, {"ok": True, **session, "version": 1})
        self.tell(ANN, "quiz_created", version=1)
        self.ask(BEN, "join_pair_quiz", session, {"ok": True, **session, "version": 2})
        for player in (BEN, ANN):
            self.tell(player, "opponent_joined", version=2)

    def _play(self) -> None:
        session = {"session_id": MATCH}
        questions = [] if self.match.in_rounds else [{"id": question_id} for question_id in RIGHT]
        self.ask(ANN, "start_quiz", session, {"ok": True, **session, "questions": questions, "version": 3})
        for player in (ANN, BEN):
            self.tell(player, "quiz_started", questions=questions, version=3)
        scores, version = [0, 0], 3
        for place, answer in enumerate(self.answers):
            if self.match.in_rounds and place % 2 == 0:
                version += place > 0
                self._open(place // 2, version)
            version += 1
            scores[answer.player - 1] += answer.points
            who, other = (ANN, BEN) if answer.player == 1 else (BEN, ANN)
            payload, reply = self.submission(answer)
            score = scores[answer.player - 1]
            self.ask(who, "submit_answer", payload, {**reply, "score": score, "version": version})
            told = {"player": "opponent", "question_id": answer.question_id, "answered": answer.ordinal}
            self.tell(other, "answer_submitted", **told, score=score, version=version)
            if self.match.in_rounds and place % 2:
                version += 1
                self._close(place // 2, version)
        for number, player in enumerate((ANN, BEN), start=1):
            self.tell(player, "quiz_results", **self.results(number))

    def _open(self, index: int, version: int) -> None:
        question = {"id": list(RIGHT)[index]}
        for player in (ANN, BEN):
            self.tell(
                player,
                "round_opened",
                index=index, question=question, reveal_at=REVEALS[index], closes_at=REVEALS[index] + LIMIT_MS,
                version=version,
            )  # fmt: skip

    def _close(self, index: int, version: int) -> None:
        question_id = list(RIGHT)[index]
        for number, player in enumerate((ANN, BEN), start=1):
            own, other = self.match.answer(number, question_id), self.match.answer(3 - number, question_id)
            assert own is not None and other is not None  # noqa: PT018
            self.tell(
                player,
                "round_closed",
                index=index, question_id=question_id, your_answer=own.chosen, opponent_answer=other.chosen,
                your_points=own.points, opponent_points=other.points, version=version,
            )  # fmt: skip
