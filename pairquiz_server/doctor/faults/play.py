"""What can be wrong with playing at a server."""

from pairquiz_server.doctor.finding import Fault, Outcome

TOKEN_REFUSED = Fault(
    "token-refused",
    "the server does not take the token: {reason}",
    "pairquiz-server token PLAYER_ID  # beside the server, with its JWT_SECRET; else get a new one of the issuer",
)
KEYS_AWAY = Fault(
    "keys-away",
    "the server cannot prove tokens now: {reason}",
    "pairquiz-server doctor  # beside the server, with its environment: it says what is wrong with the issuer's keys",
)
CONNECT_REFUSED = Fault(
    "connect-refused",
    "the server takes no player: {reason} ({code})",
    "curl --silent {url}/readyz  # and its log says more",
)
QUESTIONS_FEW = Fault(
    "questions-few",
    "there are not enough questions for a duel: {reason}",
    "pairquiz-server questions import FILE  # beside the server, with its environment",
)
DUEL_REFUSED = Fault(
    "duel-refused",
    "a duel is refused: {reason} ({code})",
    "pairquiz-server doctor  # beside the server, with its environment",
)
DUEL_HANGS = Fault(
    "duel-hangs",
    "a duel did not come to its end within {seconds} s: {where}",
    "pairquiz-server doctor  # beside the server: its database, and with several servers their Redis",
)
DUEL_WRONG = Fault(
    "duel-wrong",
    "a duel ended with other results than were played: {what}",
    "pairquiz-server doctor --json  # on both sides, and report what they print",
)
ANSWERS_SLOW = Fault(
    "answers-slow",
    "an answer is acknowledged after {ms} ms in the median, {worst} ms at worst",
    "pairquiz-server doctor  # beside the server: the database's round trip is part of each answer",
    Outcome.WARNING,
)
SERVER_CLOCK = Fault(
    "server-clock",
    "the server's clock is {seconds} s {side} this machine's",
    "timedatectl set-ntp true  # on both machines",
    Outcome.WARNING,
)
SESSION_UNKNOWN = Fault(
    "session-unknown",
    "there is no session {session}: the id is wrong, another server's or database's, or it was cleaned up long ago",
    "pairquiz-server doctor  # beside the server: is this the database that it was made in?",
)
SESSION_NOT_YOURS = Fault(
    "session-not-yours",
    "session {session} is there, and this player has no seat in it",
    'pairquiz-server doctor --url {url} --session {session} --token "$TOKEN"  # the token of one of its two players',
)
SESSION_OVER = Fault(
    "session-over",
    "session {session} is over ({status}): it cannot be joined or played any more",
    "pairquiz-server play {url}  # open another one; game.waiting_ttl_s is how long one waits",
    Outcome.WARNING,
)
