"""What the players did and heard, in order: the only witness of the verdict beside the database."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

UNKNOWN, ACKNOWLEDGED, REFUSED = "unknown", "acknowledged", "refused"

Payload = dict[str, Any]


@dataclass(slots=True)
class Command:
    """One attempt of a command. It is `unknown` until its answer comes, and for good if none comes.

    `reply` is the acknowledgement, or the error of a refusal; times are seconds of the monotonic clock.
    """

    number: int
    player: str
    connection: int
    kind: str
    payload: Payload
    invoked_at: float
    outcome: str = UNKNOWN
    reply: Payload = field(default_factory=dict)
    settled_at: float | None = None

    @property
    def match(self) -> str | None:
        """The match that it was about, where that is known."""
        named = self.payload.get("session_id") or self.reply.get("session_id")
        return None if named is None else str(named)

    @property
    def final(self) -> bool:
        """Whether it was refused for good, and so must have changed nothing."""
        return self.outcome == REFUSED and not self.reply.get("retry", False)


@dataclass(slots=True)
class Heard:
    """One thing that reached a connection: an event, or an answer (`name` is then `ack:` and the command's kind)."""

    player: str
    connection: int
    at: float
    name: str
    payload: Payload

    @property
    def is_state(self) -> bool:
        """Whether it is a whole match, after which nothing older counts."""
        return self.name in ("quiz_state", "ack:resume_pair_quiz")


@dataclass(slots=True)
class Connection:
    """One connection to a server, from the time at which it was begun to that at which its client knew it was gone.

    One that is `forgetful` tells us not all that it hears: the official client drops an acknowledgement that is late.
    """

    node: int
    opened_at: float
    forgetful: bool = False
    closed_at: float = float("inf")


@dataclass(slots=True)
class Fault:
    """Something that was done to the system; `node` is the server that it hit, None where it hit all."""

    kind: str
    started_at: float
    node: int | None = None
    detail: str = ""
    ended_at: float | None = None
    ready_at: float | None = None


class History:
    """Everything that happened in a run."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.heard: list[Heard] = []
        self.faults: list[Fault] = []
        self.connections: list[Connection] = []

    def connect(self, node: int, *, forgetful: bool = False) -> int:
        """Note a connection to a server, and return its number."""
        self.connections.append(Connection(node, time.monotonic(), forgetful))
        return len(self.connections) - 1

    def hang_up(self, connection: int) -> None:
        """Note that a connection is gone."""
        self.connections[connection].closed_at = min(time.monotonic(), self.connections[connection].closed_at)

    def end(self) -> None:
        """Note that all connections are gone."""
        for number in range(len(self.connections)):
            self.hang_up(number)

    def invoke(self, player: str, connection: int, kind: str, payload: Payload) -> Command:
        """Note that a command is on its way; call it before the first byte is sent."""
        command = Command(len(self.commands), player, connection, kind, payload, time.monotonic())
        self.commands.append(command)
        return command

    def settle(self, command: Command, answer: Payload) -> None:
        """Note the answer to a command."""
        command.settled_at = time.monotonic()
        if answer.get("ok") is True:
            command.outcome, command.reply = ACKNOWLEDGED, _lean(answer)
        else:
            command.outcome, command.reply = REFUSED, answer.get("error") or {"code": "no_error_given"}
        self.hear(command.player, command.connection, f"ack:{command.kind}", answer)

    def hear(self, player: str, connection: int, name: str, payload: Payload) -> None:
        """Note what reached a connection."""
        self.heard.append(Heard(player, connection, time.monotonic(), name, _lean(payload)))

    def dump(self, folder: Path) -> None:
        """Write everything as JSON lines, one file a kind."""
        for name, rows in (("commands", self.commands), ("heard", self.heard), ("faults", self.faults)):
            with (folder / f"{name}.jsonl").open("w") as file:
                file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def _lean(payload: Payload) -> Payload:
    """Leave out the texts of questions: a long run hears them a hundred thousand times."""
    lean = dict(payload)
    if "questions" in lean:
        lean["questions"] = [
            {key: value for key, value in question.items() if key not in ("text", "options", "explanation")}
            for question in lean["questions"]
        ]
    if lean.get("results"):
        lean["results"] = _lean(lean["results"])
    return lean
