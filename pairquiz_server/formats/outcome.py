"""What comes out of a question file."""

from msgspec import Struct

from pairquiz_server.failure import Failure
from pairquiz_server.rules.question import Question


class Refusal(Struct, frozen=True):
    """An entry that is not taken: the line where it begins, why, and the start of its text for the report."""

    line: int
    reason: str
    text: str


class Located(Struct, frozen=True):
    """A question, and the line where it begins in its file."""

    line: int
    question: Question


class Parsed(Struct, frozen=True):
    """Everything that stands in one file: each entry is either among the questions or among the refusals."""

    format: str
    questions: tuple[Located, ...]
    refusals: tuple[Refusal, ...]


class UnreadableFile(Failure):
    """A file that cannot be read as a whole; the message says in one line what is wrong and what to do."""
