"""Pairs on bare sockets that answer all at once, so that a batch of the server always holds the same."""

import itertools
import json
import socket
from collections.abc import Iterator
from typing import Any

QUESTIONS = 40
PATIENCE_S = 30.0
_MASK = bytes(4)  # a mask all the same, and one that changes nothing
_SHORT, _LONG = 126, 127
_TEXT, _PING, _PONG = 1, 9, 10


class Duelist:
    """One connection. Frames are read whole from what has come; pings are answered by the way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._received = bytearray()
        self._acks = itertools.count()
        self.socket.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        while b"\r\n\r\n" not in self._received:
            self._receive()
        del self._received[: self._received.index(b"\r\n\r\n") + 4]
        self._send(b"40")
        self.heard("welcome")

    def ask(self, name: str, **payload: Any) -> None:
        """Send a command, and wait for nothing."""
        self._send(f"42{next(self._acks)}{json.dumps([name, payload], separators=(',', ':'))}".encode())

    def acknowledged(self) -> dict[str, Any]:
        """Return the next acknowledgement, whatever else comes before."""
        answer: dict[str, Any] = next(frame[1] for frame in self._frames() if frame[0] is None)
        assert answer["ok"], answer
        return answer

    def heard(self, name: str) -> dict[str, Any]:
        """Return the payload of the next event of a name, whatever else comes before."""
        payload: dict[str, Any] = next(frame[1] for frame in self._frames() if frame[0] == name)
        return payload

    def take(self, count: int) -> None:
        """Wait for so many acknowledgements and events."""
        for _ in itertools.islice(self._frames(), count):
            pass

    def _frames(self) -> Iterator[tuple[str | None, dict[str, Any]]]:
        """Give the name (None for an acknowledgement) and the payload of whatever comes."""
        while True:
            while (frame := self._frame()) is None:
                self._receive()
            if frame == "2":
                self._send(b"3")
            elif frame.startswith("42"):
                name, payload = json.loads(frame[2:])
                yield name, payload
            elif frame.startswith("43"):
                yield None, json.loads(frame[frame.index("[") :])[0]

    def _frame(self) -> str | None:
        """Take one frame from the front of what was received, None where it is not whole."""
        held, head = self._received, 2
        if len(held) < head:
            return None
        length = held[1]
        if length >= _SHORT:
            head += 8 if length == _LONG else 2
            length = int.from_bytes(held[2:head], "big")
        if len(held) < head + length:
            return None
        opcode, data = held[0] & 0x0F, bytes(held[head : head + length])
        del held[: head + length]
        if opcode == _PING:
            self._send(data, _PONG)
            return ""
        return data.decode()

    def _receive(self) -> None:
        data = self.socket.recv(1 << 16)
        assert data, "the server closed the connection"
        self._received += data

    def _send(self, data: bytes, opcode: int = _TEXT) -> None:
        length = (
            bytes([0x80 | len(data)]) if len(data) < _SHORT else bytes([0x80 | _SHORT]) + len(data).to_bytes(2, "big")
        )
        self.socket.sendall(bytes([0x80 | opcode]) + length + _MASK + data)


class Duels:
    """Pairs who all do the same thing in one moment, and then wait until all have heard what follows from it."""

    def __init__(self, port: int, pairs: int, questions: int = QUESTIONS) -> None:
        self._pairs = [(Duelist(port), Duelist(port)) for _ in range(pairs)]
        self._questions = questions
        self._ids: list[str] = []
        self._started: list[dict[str, Any]] = []
        self._number = 0

    def close(self) -> None:
        """Go away."""
        for first, second in self._pairs:
            first.socket.close()
            second.socket.close()

    def create_all(self) -> None:
        """Let the first of each pair create a match."""
        for first, _ in self._pairs:
            first.ask("create_pair_quiz", topic="General", question_count=self._questions, time_limit=300)

    def hear_created(self) -> None:
        """Wait until everybody who has created a match has heard of it, twice."""
        self._ids = [first.acknowledged()["session_id"] for first, _ in self._pairs]
        for first, _ in self._pairs:
            first.heard("quiz_created")

    def join_all(self) -> None:
        """Let the second of each pair join."""
        for (_, second), session_id in zip(self._pairs, self._ids, strict=True):
            second.ask("join_pair_quiz", session_id=session_id)

    def hear_joined(self) -> None:
        """Wait until both have heard of it."""
        for first, second in self._pairs:
            second.acknowledged()
            first.heard("opponent_joined")
            second.heard("opponent_joined")

    def start_all(self) -> None:
        """Let the first of each pair start."""
        for (first, _), session_id in zip(self._pairs, self._ids, strict=True):
            first.ask("start_quiz", session_id=session_id)

    def hear_started(self) -> None:
        """Wait until both have their questions."""
        for first, second in self._pairs:
            first.acknowledged()
            second.heard("quiz_started")
        self._started = [first.heard("quiz_started") for first, _ in self._pairs]
        self._number = 0

    def answer_all(self) -> None:
        """Send the next answer of every player."""
        for pair, started in zip(self._pairs, self._started, strict=True):
            question = started["questions"][self._number]["id"]
            for player in pair:
                player.ask("submit_answer", session_id=started["session_id"], question_id=question, answer=0)
        self._number += 1

    def hear_answered(self) -> None:
        """Wait until every player has its acknowledgement, its opponent's answer, and the results after the last."""
        for pair in self._pairs:
            for player in pair:
                player.take(2 if self._number < self._questions else 3)
