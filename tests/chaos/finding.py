"""What a verdict is made of."""

from dataclasses import dataclass

LOST, DOUBLED, WRONG_SCORE, NEVER_ENDED = "lost", "doubled", "wrong score", "never ended"
UNASKED, DISAGREEMENT, GAP, REFUSAL, ABSENT = "unasked", "disagreement", "gap", "refusal", "absent"
LEFT, WRONG_RATING = "left behind", "wrong rating"


@dataclass(frozen=True)
class Finding:
    """Something that must not be."""

    kind: str
    match: str | None
    text: str
