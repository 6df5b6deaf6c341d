"""What can be wrong with Redis, and with the way to it."""

from pairquiz_server.doctor.finding import Fault, Outcome

REDIS_HOST_UNKNOWN = Fault(
    "redis-host-unknown",
    "the host of REDIS_URL, {host}, has no address: the name is wrong, or DNS does not answer",
    "getent hosts {host}  # prints nothing until the name in REDIS_URL is right",
)
REDIS_REFUSED = Fault(
    "redis-refused",
    "nobody listens at {place}, where REDIS_URL leads",
    'redis-cli -u "$REDIS_URL" PING  # start Redis or Valkey there, or mend REDIS_URL',
)
REDIS_SILENT = Fault(
    "redis-silent",
    "{place} does not answer: a firewall, or a Redis that hangs",
    'redis-cli -u "$REDIS_URL" PING  # until it says PONG: let this machine through, or restart it',
)
REDIS_PASSWORD = Fault(
    "redis-password",
    "Redis does not take the user and the password of REDIS_URL: {reason}",
    "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'  # special characters as %XX; without users: redis://:PASSWORD@…",
)
REDIS_FORBIDDEN = Fault(
    "redis-forbidden",
    "Redis does not let this user publish and subscribe: {reason}",
    "redis-cli -u \"$REDIS_URL\" ACL SETUSER USER '&pairquiz:*' +subscribe +publish +ping  # as its administrator",
)
REDIS_NO_TLS = Fault(
    "redis-no-tls",
    "what answers at {place} speaks no TLS, and REDIS_URL asks for it (rediss://)",
    "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'  # or the port at which it speaks TLS",
)
REDIS_CERTIFICATE = Fault(
    "redis-certificate",
    "the certificate of Redis at {place} is not taken: {reason}",
    "export SSL_CERT_FILE=/path/to/ca.pem  # the CA that signed it, or use the host's name that it has",
)
REDIS_NOT_REDIS = Fault(
    "redis-not-redis",
    "what answers at {place} is no plain Redis: {reason}",
    'redis-cli -u "$REDIS_URL" INFO server  # mend REDIS_URL: its port, or rediss:// where it speaks TLS',
)
REDIS_CLUSTER = Fault(
    "redis-cluster",
    "{place} is a node of a Redis cluster, which is not spoken to",
    "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'  # of a plain Redis or Valkey",
)
REDIS_REPLICA = Fault(
    "redis-replica",
    "{place} is a replica: what is published there reaches nobody at the primary",
    "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'  # of the primary, {primary}",
)
REDIS_DEAF = Fault(
    "redis-deaf",
    "what was published at {place} did not come back within {seconds} s: nodes would not hear of each other",
    'redis-cli -u "$REDIS_URL" CLIENT LIST  # then restart it, or whatever stands before it',
)
REDIS_SLOW = Fault(
    "redis-slow",
    "a publication takes {ms} ms to come back from {place}: moves at other nodes are seen so much later",
    'redis-cli -u "$REDIS_URL" --latency-history  # use one in the servers\' own region',
    Outcome.WARNING,
)
REDIS_STRANGERS = Fault(
    "redis-strangers",
    "{listeners} listen on this database's channel, and {nodes} servers run on it: a copy of the database may share it",
    'psql "$DATABASE_URL" --command "DELETE FROM pairquiz.server_state WHERE key = \'relay_channel\'"  # of the copy',
    Outcome.WARNING,
)
REDIS_UNSET = Fault(
    "redis-unset",
    "{nodes} servers run on this database, and REDIS_URL is not set: their players hear of each other late",
    "export REDIS_URL='redis://USER:PASSWORD@HOST:6379'  # the same for all",
    Outcome.WARNING,
)
