"""Two players who play match after match, each with a habit of its own in every match."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos import search
from tests.chaos.history import ACKNOWLEDGED, Payload
from tests.chaos.player import Player
from tests.chaos.view import View

STARTER = Path(__file__).parents[2] / "pairquiz_server" / "starter"
HABITS = {
    "steady": 30,
    "twice": 15,  # sends every answer two times at once
    "hoarder": 15,  # goes offline, answers there, and sends it all when it is back
    "refresher": 15,  # leaves the page and comes back, again and again
    "fickle": 8,  # wants to change answers that stand
    "finisher": 6,  # says that it is done before it is
    "quitter": 5,  # gives up
    "sleeper": 6,  # stops answering: the deadline has to end the match
}
RIGHT_SHARE = 0.6
TURNING_SHARE = 0.4
"""In rounds: so often a player does in one what the habit is."""
LOOK_AGAIN_S = 3.0
OFFLINE_S = 4.0


@dataclass(frozen=True)
class Play:
    """How matches are played; times in seconds, `think_s` as (least, most)."""

    question_counts: tuple[int, int] = (3, 8)
    time_limit_s: int = 5
    think_s: tuple[float, float] = (0.1, 1.0)
    habits: dict[str, int] = field(default_factory=lambda: dict(HABITS))
    rounds_share: float = 0.3
    """So many matches are played in rounds."""
    search_share: float = 0.25
    """So often both leave the table, and look for anybody."""


def right_options() -> dict[str, str]:
    """Return the right option of each starter question, by the question's text: good players know them."""
    topics = [json.loads(path.read_text()) for path in STARTER.glob("*.json")]
    return {
        question["text"]: question["options"][question["correct"]]
        for topic in topics
        for question in topic["questions"]
    }


class Pair:
    """Two players at a table. `play_on` plays until it is told to stop, and then to the end of the match."""

    def __init__(self, name: str, players: Sequence[Player], play: Play, right: dict[str, str], random: Random) -> None:
        self.name = name
        self.players = players
        self.matches = 0
        self.stage = "has not begun"
        self._play = play
        self._right = right
        self._random = random

    async def play_on(self, stopping: asyncio.Event) -> None:
        """Play match after match until `stopping` is set; returns when both know how the last one ended."""
        while not stopping.is_set():
            await self._match()
            self.matches += 1

    async def _match(self) -> None:
        if self._random.random() < self._play.search_share:
            self.stage = "looks for anybody"
            await asyncio.gather(*map(self._look_for_anybody, self.players))
        else:
            await self._invite()

    async def _look_for_anybody(self, player: Player) -> None:
        """Play with whoever is found: with equal wishes nobody is left over (but see `search.ALONE_S`)."""
        wishes = {"topic": "General", "question_count": 3, "time_limit": self._play.time_limit_s}
        view = await search.find(player, wishes, self._random)
        if view is None:
            return
        self.stage = f"plays {view.session_id}, which was found"
        if self._random.random() < 0.5:
            await player.ask("start_quiz", {"session_id": view.session_id})
        await self._take_part(player, view)

    async def _invite(self) -> None:
        host, guest = self._random.sample(self.players, 2)
        wishes = {
            "topic": "General",
            "question_count": self._random.randint(*self._play.question_counts),
            "time_limit": self._play.time_limit_s,
            "request_id": f"{self.name}-{self.matches}",
            "pace": "rounds" if self._random.random() < self._play.rounds_share else "free",
        }
        self.stage = "creates"
        created = await host.ask("create_pair_quiz", wishes)
        if created.outcome != ACKNOWLEDGED:
            host.complaints.append(f"create_pair_quiz was refused: {created.reply}")
            return
        session_id = str(created.reply["session_id"])
        views = {host: host.follow(session_id), guest: guest.view(session_id)}
        self.stage = f"joins {session_id}"
        by_code = self._random.random() < 0.3
        key = {"join_code": created.reply["join_code"]} if by_code else {"session_id": session_id}
        joined = await guest.ask("join_pair_quiz", key)
        self.stage = f"plays {session_id}"
        if joined.outcome != ACKNOWLEDGED:  # it may have expired meanwhile; then the host hears so too
            await self._await_end(host, views[host])
            return
        guest.follow(session_id)
        starters = self._random.sample(self.players, self._random.choice((1, 1, 2)))
        await asyncio.gather(*(player.ask("start_quiz", {"session_id": session_id}) for player in starters))
        await asyncio.gather(*(self._take_part(player, view) for player, view in views.items()))

    async def _take_part(self, player: Player, view: View) -> None:
        habit = self._random.choices(list(self._play.habits), weights=list(self._play.habits.values()))[0]
        while not (view.questions or view.opened or view.over):
            await player.wait(view, patience_s=LOOK_AGAIN_S)
        await (self._answer_rounds if view.pace == "rounds" else self._answer)(player, view, habit)
        await self._await_end(player, view)

    async def _answer(self, player: Player, view: View, habit: str) -> None:
        session = {"session_id": view.session_id}
        questions = self._random.sample(view.questions, len(view.questions))
        turning = self._random.randrange(len(questions)) if questions else 0
        kept: list[Payload] = []
        for place, question in enumerate(questions):
            if not kept:  # who is offline hurries: nobody may lose by being away
                await asyncio.sleep(self._random.uniform(*self._play.think_s))
            if view.over:
                break
            answer = {**session, "question_id": question["id"], **self._choice(question)}
            if place == turning and habit in ("quitter", "finisher"):
                await player.ask("leave_pair_quiz" if habit == "quitter" else "quiz_completed", session)
                return
            if place == turning and habit == "sleeper":
                return
            if place == turning and habit == "hoarder":
                await player.hang_up(politely=self._random.random() < 0.5)
            if place >= turning and habit == "hoarder":
                kept.append(answer)
                continue
            if habit == "refresher" and self._random.random() < 0.5:
                await player.refresh()
            await player.ask_all("submit_answer", [answer, answer] if habit == "twice" else [answer])
            if habit == "fickle":
                await player.ask("submit_answer", {**answer, **self._choice(question)})
        if habit == "hoarder":
            await asyncio.sleep(self._random.uniform(0, OFFLINE_S))
            player.come_back()
            await player.ask_all("submit_answer", kept)

    async def _answer_rounds(self, player: Player, view: View, habit: str) -> None:
        session = {"session_id": view.session_id}
        done: set[int] = set()
        while not view.over:
            question = view.opened
            if question is None or question["id"] in done:
                await player.wait(view, patience_s=LOOK_AGAIN_S)
                continue
            done.add(question["id"])
            await asyncio.sleep(self._random.uniform(*self._play.think_s))
            turns = self._random.random() < TURNING_SHARE
            if turns and habit in ("quitter", "finisher"):
                await player.ask("leave_pair_quiz" if habit == "quitter" else "quiz_completed", session)
                return
            if turns and habit == "sleeper":
                continue
            if turns and habit in ("hoarder", "refresher"):
                await player.refresh()
            answer = {**session, "question_id": question["id"], **self._choice(question)}
            await player.ask_all("submit_answer", [answer, answer] if habit == "twice" else [answer])
            if habit == "fickle":
                await player.ask("submit_answer", {**answer, **self._choice(question)})

    def _choice(self, question: dict[str, Any]) -> Payload:
        """Choose an option, and say it by its index or by its text; `chosen` is for our history, no server reads it."""
        options: list[str] = question["options"]
        right = self._right.get(question["text"])
        known = right in options and self._random.random() < RIGHT_SHARE
        index = options.index(right) if known and right is not None else self._random.randrange(len(options))
        return {"answer": index if self._random.random() < 0.7 else options[index], "chosen": index}

    async def _await_end(self, player: Player, view: View) -> None:
        while not view.over:
            await player.wait(view, patience_s=LOOK_AGAIN_S)
