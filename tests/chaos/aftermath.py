"""Holds searches, and what is remembered of matches, against what the database holds."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.finding import DOUBLED, LEFT, UNASKED, WRONG_RATING, Finding
from tests.chaos.history import History
from tests.chaos.ledger import Ledger, Match


def after(history: History, ledger: Ledger) -> Iterator[Finding]:
    """Yield all findings."""
    yield from _searches(history, ledger)
    yield from _results(ledger)
    for player in ledger.seekers:
        yield Finding(LEFT, None, f"{player} is in the queue, and looks for nobody")


def _searches(history: History, ledger: Ledger) -> Iterator[Finding]:
    """Who was brought together had looked, each at least as often as somebody was found."""
    asked = Counter(one.player for one in history.commands if one.kind == "find_opponent" and not one.final)
    found = Counter(
        str(player) for match in ledger.matches.values() if match.origin == "search" for player in match.players
    )
    for match in ledger.matches.values():
        if match.origin == "search" and match.players[0] == match.players[1]:
            yield Finding(UNASKED, match.id, f"{match.players[0]} was brought together with nobody else")
    for player, count in found.items():
        if not asked[player]:
            yield Finding(UNASKED, None, f"{player} was brought together with somebody, and never looked")
        elif count > asked[player]:
            yield Finding(DOUBLED, None, f"{player} has looked {asked[player]} times, and has {count} matches of it")


def _results(ledger: Ledger) -> Iterator[Finding]:
    """Each completed match has a result for each of its players, and counts only where it was fair."""
    remembered: dict[str, set[int]] = {}
    counted: Counter[str] = Counter()
    for result in ledger.results:
        remembered.setdefault(result.match_id, set()).add(result.player)
        counted[result.player_id] += result.weight > 0
        match = ledger.matches.get(result.match_id)
        if match is None:
            yield Finding(WRONG_RATING, result.match_id, f"{result} of no match")
        elif match.players[result.player - 1] != result.player_id:
            yield Finding(WRONG_RATING, match.id, f"{result} is of somebody else")
        elif result.weight > 0 and not _is_fair(match):
            yield Finding(WRONG_RATING, match.id, f"{result}, and it was not fair: {match.origin}, {match.away}")
    for match in ledger.matches.values():
        due = {1, 2} if match.status == "completed" else set()
        if remembered.get(match.id, set()) != due:
            yield Finding(WRONG_RATING, match.id, f"it is {match.status}, with results of {remembered.get(match.id)}")
    for player in counted.keys() | ledger.ratings.keys():
        if counted[player] != ledger.ratings.get(player, 0):
            yield Finding(
                WRONG_RATING, None, f"{player} is rated by {ledger.ratings.get(player, 0)} of {counted[player]} matches"
            )


def _is_fair(match: Match) -> bool:
    """Whether a match may count: of two strangers, and with nobody away because a server had died."""
    return match.origin == "search" and "node_lost" not in match.away and bool(match.answers)
