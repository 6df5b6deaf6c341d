"""What can be wrong with what tokens are proved by."""

from pairquiz_server.doctor.finding import Fault, Outcome

SECRET_WEAK = Fault(
    "secret-weak",
    "JWT_SECRET is long enough and can be guessed: it is made of {characters} different characters",
    'export JWT_SECRET="$(openssl rand -hex 32)"',
    Outcome.WARNING,
)
GUESTS_ON_OPEN_ADDRESS = Fault(
    "guests-on-open-address",
    "others reach this server, and everybody may play as a guest",
    'export JWT_SECRET="$(openssl rand -hex 32)" PAIRQUIZ_AUTH__MODE=required  # if that is not meant',
    Outcome.WARNING,
)
KEYS_UNREACHABLE = Fault(
    "keys-unreachable",
    "the issuer's keys cannot be fetched from {url}: {reason}",
    "curl --verbose {url}  # from this machine, without a proxy and without a redirect",
)
KEYS_ANSWER = Fault(
    "keys-answer",
    "{url} gives no keys: it answered with HTTP {status}{hint}",
    "export PAIRQUIZ_AUTH__JWKS_URL=https://YOUR_PROJECT.supabase.co/auth/v1/.well-known/jwks.json",
)
KEYS_UNREADABLE = Fault(
    "keys-unreadable",
    "{url} gives no JWKS: {reason}",
    "export PAIRQUIZ_AUTH__JWKS_URL=https://YOUR_PROJECT.supabase.co/auth/v1/.well-known/jwks.json",
)
KEYS_NONE = Fault(
    "keys-none",
    "{url} publishes no key that tokens may be signed by{reason}",
    "export JWT_SECRET='…'  # the project's legacy secret; or move its tokens to signing keys",
)
KEY_LEFT_OUT = Fault(
    "key-left-out",
    "{reason} (at {url}): tokens that it signs are refused",
    "curl --silent {url}  # then have the issuer replace the key",
    Outcome.WARNING,
)
ISSUER_UNSET = Fault(
    "issuer-unset",
    "keys are fetched from {url}, and the `iss` of tokens is not looked at",
    "export PAIRQUIZ_AUTH__ISSUER={issuer}",
    Outcome.WARNING,
)
TOKEN_NOT_TAKEN = Fault(
    "token-not-taken",
    "this server's settings do not take the token: {reason}",
    "pairquiz-server token PLAYER_ID  # one that is taken, where JWT_SECRET is set; else get a new one of the issuer",
)
