"""How much one connection, player and address may ask for, by sockets and REST together.

A limit comes before any look into the database. What it refuses is told (`rate_limited`, with `retry_in_ms`) and
costs nothing more: a refused command takes no token, and no connection is closed for it.
"""

import time
from collections.abc import Callable
from functools import partial

from pairquiz_server.config.sections import Limits as Settings
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol import payloads
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.protocol.sending import Reply, Sender
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.buckets import Bucket, Buckets, Rate
from pairquiz_server.web.guard.pace import Pace

REFUSAL_PAUSE_S = 0.01
"""A connection is read no further for so long after a refusal: an answer costs as much as a command, some 100 µs."""
PLAYER_SHARE = 2
"""A player may ask for as much as so many connections."""
ABOUT_ONESELF = "me"
"""What the requests to `/api/me/` are called where commands are counted."""
LOOKING_BACK = "records"
"""What the requests for past matches, profiles and lists of the best are called there."""
_COUNTED = frozenset((*COMMANDS, ABOUT_ONESELF, LOOKING_BACK))
_EVERYBODY = ""
_GUESS_REFUSED = "Too many join codes that open nothing: try again in retry_in_ms, or use the link"


class Limits:
    """The limits by rate of one process."""

    def __init__(self, settings: Settings, metrics: Metrics, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._limited = metrics.limited
        self._arrived = metrics.commands
        self._arrived.begin(sorted(_COUNTED))
        per_s, burst = settings.commands_per_s, settings.commands_burst
        self._a_connection = Rate(per_s, burst)
        self._frames = Rate(settings.frames_per_s, settings.frames_per_s)
        self._slowed = partial(self._limited.count, "frames_per_s")
        self._commands = Buckets(Rate(per_s * PLAYER_SHARE, burst * PLAYER_SHARE))
        self._creations = Buckets(Rate.per_minute(settings.creations_per_minute))
        self._creations_here = Buckets(Rate.per_minute(settings.creations_per_minute_per_address))
        self._guesses = Buckets(Rate.per_minute(settings.failed_joins_per_minute))
        self._guesses_here = Buckets(Rate.per_minute(settings.failed_joins_per_minute))
        self._all_guesses = Buckets(Rate.per_minute(settings.all_failed_joins_per_minute))
        self._failed_tokens = Buckets(Rate.per_minute(settings.failed_tokens_per_minute_per_address))

    def connection(self) -> Bucket:
        """Return the bucket of a new connection's commands."""
        return Bucket(self._a_connection)

    def pace(self) -> Pace:
        """Return the pace at which a new session is read."""
        return Pace(self._frames, self._slowed)

    def command(self, name: str, player_id: str, connection: Bucket | None = None) -> None:
        """Count a command, and take what each costs, on a connection or by REST. Raises `Refused`."""
        self._arrived.count(name if name in _COUNTED else "unknown")
        now = self._now()
        if connection is not None and (wait := connection.take(now)):
            raise self._refused("commands_per_s", wait)
        if wait := self._commands.take(player_id, now):
            if connection is not None:
                connection.give_back()
            raise self._refused("commands_per_s_by_player", wait)

    def charge(self, sender: Sender, payload: object, address: str) -> None:
        """Take what some commands cost beside: a creation (a search may be one), and a guess.

        A join by its code alone is a guess until it has opened something, and so is a challenge: it is paid for before,
        so that many at the same instant are no more than the limit, and given back when its answer is overheard.
        Raises `Refused`.
        """
        match payload:
            case payloads.CreatePairQuiz() | payloads.FindOpponent():
                self._take(
                    ("creations_per_minute", self._creations, sender.player.id),
                    ("creations_per_minute_per_address", self._creations_here, address),
                )
            case payloads.JoinPairQuiz(session_id=None, join_code=str()):
                self._guess(sender, address)
            case payloads.AcceptChallenge():
                self._guess(sender, address)  # and what it opens is a creation
                self._take(
                    ("creations_per_minute", self._creations, sender.player.id),
                    ("creations_per_minute_per_address", self._creations_here, address),
                )

    def before_token(self, address: str) -> None:
        """Refuse an address with too many tokens that were not valid, before the next one is looked at."""
        if wait := self.held_back(address):
            raise self._refused("failed_tokens_per_minute_per_address", wait)

    def held_back(self, address: str) -> float:
        """Return for how many seconds no token of an address is looked at."""
        return self._failed_tokens.wait(address, self._now())

    def failed_token(self, address: str) -> None:
        """Note a token that was not valid."""
        self._failed_tokens.take(address, self._now())

    def _guess(self, sender: Sender, address: str) -> None:
        paid = (
            ("failed_joins_per_minute", self._guesses, sender.player.id),
            ("failed_joins_per_minute_by_address", self._guesses_here, address),
            ("all_failed_joins_per_minute", self._all_guesses, _EVERYBODY),
        )
        self._take(*paid, message=_GUESS_REFUSED)

        def overheard(outcome: Reply | Refused) -> None:
            if not (isinstance(outcome, Refused) and outcome.code is Code.NOT_FOUND):
                for _, buckets, key in paid:
                    buckets.give_back(key)

        sender.overheard = overheard

    def _take(self, *tolls: tuple[str, Buckets, str], message: str | None = None) -> None:
        """Take a token of each, or none. Raises `Refused`."""
        now = self._now()
        for place, (limit, buckets, key) in enumerate(tolls):
            if wait := buckets.take(key, now):
                for _, paid, by in tolls[:place]:
                    paid.give_back(by)
                raise self._refused(limit, wait, message)

    def _refused(self, limit: str, wait_s: float, message: str | None = None) -> Refused:
        self._limited.count(limit)
        return Refused(Code.RATE_LIMITED, message, retry_in_ms=int(wait_s * 1000) + 1)
