"""The questions that a new database begins with."""

from importlib.resources import files

import structlog

from pairquiz_server.formats import parse
from pairquiz_server.rules.bank import Fate
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.server import STARTER_QUESTIONS, ServerState

log = structlog.get_logger("pairquiz.starter")


async def load_starter_questions(questions: Questions, server: ServerState) -> int:
    """Load the starter questions, once a database whatever else is in it; return how many were added.

    The marker is written last: whoever dies in between begins again, and finds unchanged what is there.
    """
    if await server.get(STARTER_QUESTIONS) is not None:
        return 0
    bank = [
        located.question
        for file in sorted(files("pairquiz_server.starter").iterdir(), key=lambda one: one.name)
        if file.name.endswith(".json")
        for located in parse(file.read_bytes(), name=file.name).questions
    ]
    verdicts = await questions.add(bank)
    await server.put_first(STARTER_QUESTIONS, b"loaded")
    added = sum(verdict.fate is Fate.ADDED for verdict in verdicts)
    log.info("starter_questions_loaded", count=added)
    return added
