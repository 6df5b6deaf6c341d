"""The questions that a new database begins with."""

import structlog

from pairquiz_server.formats.shipped import starter_questions
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
    verdicts = await questions.add(starter_questions())
    await server.put_first(STARTER_QUESTIONS, b"loaded")
    added = sum(verdict.fate is Fate.ADDED for verdict in verdicts)
    log.info("starter_questions_loaded", count=added)
    return added
