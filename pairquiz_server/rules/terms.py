"""What two players agree on before a match begins, and how they came together."""

from enum import StrEnum

from msgspec import Struct


class Pace(StrEnum):
    """How the questions of a match are asked."""

    FREE = "free"
    """Each player goes at their own speed, until the match's deadline."""
    ROUNDS = "rounds"
    """Both have the same question at the same moment."""


class Origin(StrEnum):
    """How two players came together."""

    INVITATION = "invitation"
    """One has created the match, the other has joined it by its link or code."""
    SEARCH = "search"
    """Both looked for somebody."""
    REMATCH = "rematch"
    """Both wanted another one."""
    GHOST = "ghost"
    """Nobody was there, and a recorded run plays the second seat."""
    CHALLENGE = "challenge"
    """One has followed the link of a recorded run, which plays the second seat."""


class Ghost(Struct, frozen=True, gc=False):
    """The recorded run that plays a second seat: what the player of `seat` did in an earlier match."""

    match_id: str
    seat: int


class Step(Struct, frozen=True, gc=False):
    """One answer of a recorded run: which option, and after how long by the match's own clock (milliseconds)."""

    question_id: int
    chosen: int
    after_ms: int


class Run(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a ghost does, in the order of its times. `completed_after_ms` is when the player was done by saying so."""

    steps: tuple[Step, ...]
    completed_after_ms: int | None = None
