"""Frames out of frames: cut, joined, doubled, nested, with what parsers stumble over put somewhere into them."""

from collections.abc import Callable
from random import Random

from tests.fuzz.frames import SESSION, Corpus, Frame

MANY = 400
LENGTH_MAX = 20_000
BITES = (
    "[", "]", "{", "}", '"', "\\", ",", ":", "-", "/", "\x00", "\n", "\x1e", "\ufeff", "\u202e", "\U0001f600",
    "\\ud800",
    "\\u0000", "null", "true", "NaN", "1e999", "9" * 100, "-1", "0x", "/admin,", "42", "451-", "40", "__proto__",
    '{"_placeholder":true,"num":0}', SESSION, "[" * MANY, '{"a":' * MANY, "%s", "${x}", "<script>", "'; --", "e\u0301",
)  # fmt: skip


class Mutator:
    """Makes frames without end from a corpus; the same seed makes the same frames."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self._corpus = corpus
        self._chance = Random(seed)
        self._ways: tuple[Callable[[str], str], ...] = (
            self._cut, self._bite, self._bite, self._double, self._splice, self._swap, self._nest, self._drop,
        )  # fmt: skip
        self.session_id = SESSION

    def polite(self) -> str:
        """Return a command that can be read, now and then to the match that a neighbour is playing."""
        return self._chance.choice(self._corpus.polite).replace(SESSION, self.session_id)

    def wild(self) -> Frame:
        """Return a frame of any kind: as it was made, or changed up to four times."""
        frame = self._chance.choice(self._corpus.wild)
        if isinstance(frame, bytes):
            return frame
        for _ in range(self._chance.randrange(5)):
            frame = self._chance.choice(self._ways)(frame)[:LENGTH_MAX]
        return frame.replace(SESSION, self.session_id)

    def _place(self, frame: str) -> int:
        return self._chance.randint(0, len(frame))

    def _cut(self, frame: str) -> str:
        return frame[: self._place(frame)]

    def _drop(self, frame: str) -> str:
        place = self._place(frame)
        return frame[:place] + frame[place + 1 :]

    def _bite(self, frame: str) -> str:
        place = self._place(frame)
        return frame[:place] + self._chance.choice(BITES) + frame[place:]

    def _double(self, frame: str) -> str:
        first, last = sorted((self._place(frame), self._place(frame)))
        return frame[:last] + frame[first:]

    def _splice(self, frame: str) -> str:
        other = self._chance.choice(self._corpus.polite)
        return frame[: self._place(frame)] + other[self._place(other) :]

    def _swap(self, frame: str) -> str:
        place = self._place(frame)
        return (
            frame[:place] + chr(self._chance.choice((self._chance.randrange(128), 0xD7FF, 0xFFFF))) + frame[place + 1 :]
        )

    def _nest(self, frame: str) -> str:
        head = self._chance.choice(("42", "427", "40", ""))
        return f"{head}[{frame.removeprefix('42')}]"
