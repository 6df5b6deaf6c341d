"""The questions that come with this package."""

from importlib.resources import files

from pairquiz_server.formats.detect import parse
from pairquiz_server.rules.question import Question


def starter_questions() -> list[Question]:
    """Read the starter questions, topic by topic."""
    return [
        located.question
        for file in sorted(files("pairquiz_server.starter").iterdir(), key=lambda one: one.name)
        if file.name.endswith(".json")
        for located in parse(file.read_bytes(), name=file.name).questions
    ]
