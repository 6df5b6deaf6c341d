"""A match → what one of its players may see of it.

The right option is in no view before the viewer's own answer is locked, and the opponent's choice in none before
the match is over; in rounds, both before the round is. A question that was not opened is in none, ever.
"""

from pairquiz_server.protocol.views.ending import quiz_results, session_expired
from pairquiz_server.protocol.views.meeting import challenge, opponent_found, opponent_joined, quiz_created, session
from pairquiz_server.protocol.views.playing import (
    opponent_answer,
    own_answer,
    quiz_started,
    receipt,
    round_closed,
    round_opened,
    round_state,
)
from pairquiz_server.protocol.views.state import opponent_disconnected, quiz_state

__all__ = [
    "challenge",
    "opponent_answer",
    "opponent_disconnected",
    "opponent_found",
    "opponent_joined",
    "own_answer",
    "quiz_created",
    "quiz_results",
    "quiz_started",
    "quiz_state",
    "receipt",
    "round_closed",
    "round_opened",
    "round_state",
    "session",
    "session_expired",
]
