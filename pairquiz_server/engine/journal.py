"""The life of matches in the log, at info: created, joined, started, ended. Answers are at debug, and never a key."""

from collections.abc import Iterable
from typing import Any

from pairquiz_server import logs
from pairquiz_server.engine.submission import Outcome, Submission
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

_NAMES = {
    MatchCreated: "match_created",
    PlayerJoined: "match_joined",
    MatchStarted: "match_started",
    PlayerLeft: "player_left",
    PlayerForfeited: "player_forfeited",
    MatchEnded: "match_ended",
    MatchExpired: "match_expired",
}


def record(settled: Iterable[tuple[Submission, Outcome]]) -> None:
    """Write what a committed batch means for its matches; `request` names the command on its way."""
    lines: list[dict[str, Any]] = []
    for submission, outcome in settled:
        if isinstance(outcome, Decision):
            for event in outcome.events:
                if (name := _NAMES.get(type(event))) is not None:
                    match = outcome.match
                    line = {
                        "session_id": match.id,
                        "version": event.version,
                        "topic": match.topic,
                        "request": submission.request,
                        "event": name,
                    }
                    if match.end_reason:
                        line["reason"] = match.end_reason
                    lines.append(line)
    if lines:
        logs.inform(lines)
