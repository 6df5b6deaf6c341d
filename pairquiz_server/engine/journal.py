"""The life of matches in the log, at info: created, joined, started, ended. Answers are at debug, and never a key."""

import structlog

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import (
    MatchCreated,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    PlayerForfeited,
    PlayerJoined,
    PlayerLeft,
)

log = structlog.get_logger("pairquiz.match")

_NAMES = {
    MatchCreated: "match_created",
    PlayerJoined: "match_joined",
    MatchStarted: "match_started",
    PlayerLeft: "player_left",
    PlayerForfeited: "player_forfeited",
    MatchEnded: "match_ended",
    MatchExpired: "match_expired",
}


def record(decision: Decision, request: int | None) -> None:
    """Write what a committed decision means for its match; `request` names the command on its way."""
    match = decision.match
    for event in decision.events:
        if (name := _NAMES.get(type(event))) is not None:
            ended = {"reason": match.end_reason} if match.end_reason else {}
            log.info(name, session_id=match.id, version=event.version, topic=match.topic, request=request, **ended)
