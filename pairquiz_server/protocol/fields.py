"""The fields of the wire, each kind once: what it means, in which unit, and an example.

A struct says the same of what it alone has by `said` and its kin. All of it is description: what a struct reads and
writes is decided by the types and bounds alone.
"""

from typing import Annotated, Literal

from msgspec import Meta

from pairquiz_server.rules.question import OPTION_COUNT

EPOCH_MS = "ms since the epoch"
MS = "ms"
SECONDS = "s"
SESSION = "8a6e0804-2bd0-4672-b79d-d97027f9071a"
"""The session of all examples."""
REMATCH = "1c9e6679-7425-40de-944b-e07fc1f90ae7"
"""The session that follows it."""


def said(text: str, *examples: object, unit: str | None = None) -> Meta:
    """Describe a field by what it means, by examples, and by the unit that a quantity is in."""
    return Meta(description=text, examples=list(examples), extra_json_schema={"x-unit": unit} if unit else None)


def whole(text: str) -> Meta:
    """Describe a field that is a struct or a list of structs: its example is made of theirs."""
    return Meta(description=text)


def instant(text: str, example: int = 1_790_000_000_000) -> Meta:
    """Describe a time of the server's clock."""
    return said(text, example, unit=EPOCH_MS)


def span(text: str, example: int) -> Meta:
    """Describe how long something takes."""
    return said(text, example, unit=MS)


def amount(text: str, example: int, unit: str) -> Meta:
    """Describe how many of something there are."""
    return said(text, example, unit=unit)


def opaque(text: str) -> Meta:
    """Describe a text that is nobody's to read."""
    return said(text, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl")


# Who and where

SessionId = Annotated[str, said("The match, a UUID: on the wire a match is a session.", SESSION)]
PreviousSessionId = Annotated[str, said("The match that this rematch follows.", SESSION)]
NextSessionId = Annotated[str, said("The rematch that was made.", REMATCH)]
UserId = Annotated[str, said("The player's id; a guest's begins with `guest:`.", "guest:Vh7dQ2mX4tRk")]
DisplayName = Annotated[str, said("What the player is called: plain text of any script.", "Ada")]
Topic = Annotated[str, said("The topic, as it is spelled in the list of topics.", "General")]
JoinCode = Annotated[str, said("The code by which an opponent joins; void once somebody has.", "7KQ2M4XA")]
JoinUrl = Annotated[str, said("The path of the invitation, for the frontend's own router.", f"/pair-quiz/{SESSION}")]
ChallengeCode = Annotated[str, said("The code of a challenge.", "7KQ2M4XA7KQ2")]
ChallengeUrl = Annotated[
    str, said("The path of the challenge, for the frontend's own router.", "/pair-quiz/challenge/7KQ2M4XA7KQ2")
]
GuestToken = Annotated[str, opaque("The token with which to be the same guest again. The newest one is to be kept.")]

# What every event of a match has

Version = Annotated[
    int,
    said("The match's version: it rises by one with each change, so that a gap shows that something was missed.", 7),
]
Duplicate = Annotated[bool, said("True where the effect of the command stood already; else the key is absent.", True)]
ByOperator = Annotated[
    bool, said("True where the operator has ended it, and `reason` is but the nearest; else the key is absent.", True)
]
GhostPlays = Annotated[bool, said("True where a recorded run plays the other seat; else the key is absent.", True)]

# Terms of a match

QuestionCount = Annotated[int, amount("How many questions the match has.", 5, "questions")]
TimeLimit = Annotated[int, said("How long a question has.", 30, unit=SECONDS)]
Seeking = Annotated[bool, said("Whether the player looks for somebody now.", True)]

# Times

ServerTime = Annotated[int, instant("What the server's clock shows.")]
StartedAt = Annotated[int, instant("When the match has begun.")]
StartsAt = Annotated[int, instant("When the match starts by itself; `start_quiz` starts it sooner.", 1_790_000_003_000)]
DeadlineAt = Annotated[int, instant("Until when answers are in time.", 1_790_000_150_000)]
RevealAt = Annotated[int, instant("When the round's question is to be shown: not sooner.", 1_790_000_010_400)]
ClosesAt = Annotated[int, instant("Until when the round's question may be answered.", 1_790_000_040_400)]
NextAt = Annotated[int, instant("When the next round opens.", 1_790_000_042_400)]
ReconnectBy = Annotated[int, instant("Until when who is away may come back.", 1_790_000_060_000)]
ArrivedAt = Annotated[int, instant("When the answer arrived.", 1_790_000_004_560)]
JudgedAt = Annotated[int, instant("When the answer counts as given: `arrived_at` less the credit.", 1_790_000_004_500)]

# Questions and answers

QuestionId = Annotated[int, said("The question.", 7)]
Option = Annotated[int, said(f"An option's index, 0 to {OPTION_COUNT - 1}, in the order in which it was shown.", 2)]
CorrectOption = Annotated[int, said("The right option's index.", 2)]
OwnChoice = Annotated[int | None, said("The option that one has chosen; null where one has not answered.", 2)]
OpponentChoice = Annotated[int | None, said("The option that the opponent has chosen; null where there is none.", 0)]
RoundIndex = Annotated[int, said("Which round it is, from 0.", 0)]

# Points

Points = Annotated[int, amount("What the answer counts.", 142, "points")]
OwnScore = Annotated[int, amount("One's own points so far.", 480, "points")]
OpponentScore = Annotated[int, amount("The opponent's points so far.", 365, "points")]
YourPoints = Annotated[int, amount("What one's own answer counts.", 142, "points")]
OpponentPoints = Annotated[int, amount("What the opponent's answer counts.", 0, "points")]

# Ratings

Rating = Annotated[int, amount("The rating.", 1532, "rating points")]
Change = Annotated[int, amount("How much the match has changed it.", 12, "rating points")]
Provisional = Annotated[bool, said("Whether the rating is still a guess: it has no place in a list.", False)]
Weight = Annotated[
    float, said("How much the match counts: 1 against a person, less against a recorded run.", 1.0, unit="of a match")
]
Matches = Annotated[int, amount("How many matches were finished.", 42, "matches")]

SingleChoice = Literal["single_choice"]
Kind = Annotated[SingleChoice, said("What sort of question it is.", "single_choice")]
