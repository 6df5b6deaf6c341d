"""What can be wrong with the settings, the machine, and the address to listen on."""

from pairquiz_server.doctor.finding import Fault, Outcome

SETTINGS_INVALID = Fault(
    "settings-invalid",
    "{reason}",
    "pairquiz-server config  # after each change, until it prints what is in force",
)
SECRET_INVALID = Fault("secret-invalid", "{reason}", 'export JWT_SECRET="$(openssl rand -hex 32)"  # or your issuer\'s')
ADDRESS_OPEN = Fault(
    "address-open",
    "{reason}",
    'export JWT_SECRET="$(openssl rand -hex 32)"  # or, to let everybody play: export PAIRQUIZ_AUTH__MODE=guest',
)
ORIGIN_MALFORMED = Fault(
    "origin-malformed",
    "{reason}",
    "export PAIRQUIZ_SERVER__ALLOWED_ORIGINS='[\"https://quiz.example\"]'",
)
DATABASE_URL_MALFORMED = Fault(
    "database-url-malformed",
    "{reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@HOST:5432/DATABASE'",
)
REDIS_URL_MALFORMED = Fault("redis-url-malformed", "{reason}", "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'")

LIBRARIES_UNKNOWN = Fault(
    "libraries-unknown",
    "{reason}",
    "pip install --constraint constraints.txt .",
)
DATA_DIR_UNWRITABLE = Fault(
    "data-dir-unwritable",
    "the data folder {folder} cannot be written: {reason}",
    'pairquiz-server serve --data-dir "$HOME/pairquiz"  # or give the folder to this user: chown',
)
DISK_LOW = Fault(
    "disk-low",
    "the disk of {folder} has {free} MB free: PostgreSQL stops when it is full",
    "du --human-readable --max-depth 1 {folder}  # then free some, or move it: --data-dir",
    Outcome.WARNING,
)
EMBEDDED_REFUSED = Fault(
    "embedded-refused",
    "the embedded PostgreSQL does not start: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@HOST:5432/DATABASE'  # or mend what is said",
)
PAGE_MISSING = Fault(
    "page-missing",
    "the page to play on is not built: / says so to whoever comes",
    "scripts/page  # or export PAIRQUIZ_SERVER__PAGE=none",
    Outcome.WARNING,
)
OPEN_FILES_LOW = Fault(
    "open-files-low",
    "this process may open {have} files, fewer than limits.connections ({wanted}) and the rest need",
    "ulimit -n {needed}  # for a service: LimitNOFILE={needed}; or lower PAIRQUIZ_LIMITS__CONNECTIONS",
    Outcome.WARNING,
)
CLOCK_UNSYNCHRONISED = Fault(
    "clock-unsynchronised",
    "no time service keeps this machine's clock: tokens are judged by it",
    "timedatectl set-ntp true",
    Outcome.WARNING,
)

PORT_IN_USE = Fault(
    "port-in-use",
    "port {port} of {host} is in use by {by}, which is no pairquiz-server",
    "pairquiz-server serve --port {other}  # or end what uses it: ss --listening --tcp --processes",
)
PORT_FORBIDDEN = Fault(
    "port-forbidden",
    "this user may not listen on port {port}: those below 1024 are root's",
    "pairquiz-server serve --port 8000  # behind a proxy, which listens there",
)
ADDRESS_NOT_HERE = Fault(
    "address-not-here",
    "this machine does not have the address {host}: {reason}",
    "pairquiz-server serve --host 0.0.0.0  # all that it has; ip address  shows them",
)
ORIGIN_NOT_ALLOWED = Fault(
    "origin-not-allowed",
    "pages of {origin} may not talk to this server{hint}",
    "export PAIRQUIZ_SERVER__ALLOWED_ORIGINS={setting}",
)
ORIGINS_OF_DEVELOPMENT = Fault(
    "origins-of-development",
    "others reach this server, and only pages of localhost may talk to it",
    "export PAIRQUIZ_SERVER__ALLOWED_ORIGINS='[\"https://quiz.example\"]'",
    Outcome.WARNING,
)
ORIGINS_EVERYBODY = Fault(
    "origins-everybody",
    "every page may talk to this server, though players need tokens",
    "export PAIRQUIZ_SERVER__ALLOWED_ORIGINS='[\"https://quiz.example\"]'",
    Outcome.WARNING,
)
