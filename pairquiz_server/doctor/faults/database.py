"""What can be wrong with the database, and with the way to it."""

from pairquiz_server.doctor.finding import Fault, Outcome

HOST_UNKNOWN = Fault(
    "database-host-unknown",
    "the database's host {host} has no address: the name is wrong, or DNS does not answer",
    "getent hosts {host}  # prints nothing until the name in DATABASE_URL is right",
)
REFUSED = Fault(
    "database-refused",
    "nobody listens at {place}: PostgreSQL does not run there, or not on that port",
    'pg_isready --dbname "$DATABASE_URL"  # start PostgreSQL there, or mend DATABASE_URL',
)
SILENT = Fault(
    "database-silent",
    "{place} does not answer: a firewall, a list of allowed addresses, or a server that hangs",
    'pg_isready --dbname "$DATABASE_URL"  # until it accepts: let this machine through to that port',
)
NO_ROUTE = Fault(
    "database-no-route",
    "no way leads to {place}: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@POOLER:6543/DATABASE'  # an address that this network reaches",
)
NOT_POSTGRESQL = Fault(
    "database-not-postgresql",
    "what answers at {place} does not speak as PostgreSQL does: {reason}",
    'pg_isready --dbname "$DATABASE_URL"  # mend the port in DATABASE_URL: 5432, or the pooler\'s',
)
URL_REFUSED = Fault(
    "database-url-refused",
    "DATABASE_URL has something that is not understood: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=require'",
)
PASSWORD = Fault(
    "database-password",
    "the database does not take the password of {user}: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@HOST:5432/DATABASE'  # special characters of the password as %XX",
)
ROLE_UNKNOWN = Fault(
    "database-role-unknown",
    "the database knows no user {user}: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@HOST:5432/DATABASE'  # at Supabase's pooler: postgres.PROJECT",
)
NOT_ADMITTED = Fault(
    "database-not-admitted",
    "the database lets {user} not in from here: {reason}",
    "psql --username postgres --command 'TABLE pg_hba_file_rules'  # there: add a line, then SELECT pg_reload_conf()",
)
MISSING = Fault(
    "database-missing",
    "there is no database {database} at {place}",
    "createdb {database}  # as its administrator; or mend the end of DATABASE_URL",
)
FULL = Fault(
    "database-full",
    "the database has no connection left: {reason}",
    "psql --username postgres --command 'SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2'"
    "  # then lower PAIRQUIZ_DATABASE__POOL_MAX, or raise max_connections",
)
STARTING = Fault(
    "database-starting",
    "the database takes nobody just now: {reason}",
    'pg_isready --dbname "$DATABASE_URL"  # until it accepts',
)
LOST = Fault(
    "database-lost",
    "the database ended the connection: {reason}",
    "pairquiz-server doctor  # again; the database's own log says why",
)
REFUSES = Fault(
    "database-refuses",
    "the database refuses: {reason}",
    "psql \"$DATABASE_URL\" --command 'SELECT 1'  # until it works as the server would do it",
)

TLS_REQUIRED = Fault(
    "database-tls-required",
    "the database takes {user} over TLS alone: {reason}",
    'export DATABASE_URL="$DATABASE_URL?sslmode=require"',
)
TLS_REFUSED = Fault(
    "database-tls-refused",
    "the database at {place} speaks no TLS, and DATABASE_URL asks for it (sslmode)",
    "psql --username postgres --command 'ALTER SYSTEM SET ssl = on'  # there, with a certificate; or take sslmode away",
)
CERTIFICATE_UNTRUSTED = Fault(
    "database-certificate-untrusted",
    "the database's certificate is not signed by whom you trust: {reason}",
    "export PAIRQUIZ_DATABASE__SSL_ROOT_CERT=/path/to/ca.crt  # the CA that signed it",
)
CERTIFICATE_EXPIRED = Fault(
    "database-certificate-expired",
    "the database's certificate has expired, or is not valid yet: {reason}",
    "psql --username postgres --command 'SELECT pg_reload_conf()'  # there, once a new one is in place",
)
CERTIFICATE_HOSTNAME = Fault(
    "database-certificate-hostname",
    "the database's certificate is for another host than {host}: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@NAME:5432/DATABASE?sslmode=verify-full'  # its own name",
)
CA_MISSING = Fault(
    "database-ca-missing",
    "there is no file of CAs to check the database's certificate by: {reason}",
    "export PAIRQUIZ_DATABASE__SSL_ROOT_CERT=/path/to/ca.crt",
)
UNENCRYPTED = Fault(
    "database-unencrypted",
    "what goes to {place} is not encrypted, and can be read on its way",
    'export DATABASE_URL="$DATABASE_URL?sslmode=require"',
    Outcome.WARNING,
)
UNVERIFIED = Fault(
    "database-unverified",
    "what goes to {place} is encrypted, and nobody checks to whom: whoever is between can read it",
    "export PAIRQUIZ_DATABASE__SSL_ROOT_CERT=/path/to/ca.crt",
    Outcome.WARNING,
)

POOLER_UNDECLARED = Fault(
    "database-pooler-undeclared",
    "a pooler in transaction mode stands before the database, and database.transaction_pooler says that none does",
    "export PAIRQUIZ_DATABASE__TRANSACTION_POOLER=true  # or unset it: the server finds out by itself",
)
POOLER_STATEMENT = Fault(
    "database-pooler-statement",
    "a pooler in statement mode stands before the database, and takes no transactions",
    "sed -i 's/^pool_mode.*/pool_mode = transaction/' /etc/pgbouncer/pgbouncer.ini  # and let it read that again",
)
POOLER_SMALL = Fault(
    "database-pooler-small",
    "the pooler before the database has no session to lend: {reason}",
    "export PAIRQUIZ_DATABASE__POOL_MAX=4  # or raise the pooler's default_pool_size",
)
OLD = Fault(
    "database-old",
    "PostgreSQL {version} is older than {oldest}, the oldest that this server was tried on",
    'pg_dump --dbname "$DATABASE_URL" --format custom --file old.dump  # into a newer one: docs/backup.md',
)
READ_ONLY = Fault(
    "database-read-only",
    "the database takes no writes: {reason}",
    "export DATABASE_URL='postgresql://USER:PASSWORD@PRIMARY:5432/DATABASE'  # the one that does",
)
POWERLESS = Fault(
    "database-role-powerless",
    "the role {user} may not {action}",
    "psql --username postgres --dbname {database} --command 'GRANT CREATE ON DATABASE {database} TO {user}'"
    "  # or name the role that owns it",
)
SCHEMA_MISSING = Fault(
    "database-schema-missing",
    "the database {database} is empty: there is no schema pairquiz yet (the server's start makes it)",
    "pairquiz-server migrate",
    Outcome.WARNING,
)
MIGRATIONS_PENDING = Fault(
    "database-migrations-pending",
    "{count} migrations are not applied yet (the server's next start does it): {names}",
    "pairquiz-server migrate",
    Outcome.WARNING,
)
MIGRATIONS_NEWER = Fault(
    "database-migrations-newer",
    "the database has had migrations that this server does not know: {names}. A newer server was here",
    "git pull && pip install --constraint constraints.txt .  # an older one goes on with them meanwhile",
    Outcome.WARNING,
)
MIGRATION_CHANGED = Fault(
    "database-migration-changed",
    "migration {name} is another one than the database has had: this server does not start on it",
    "git checkout -- sql/migrations  # and install again: the file as it was released",
)
LAX = Fault(
    "database-lax",
    "{names} off: what was acknowledged may be lost when the database's machine loses power",
    "psql --username postgres --command 'ALTER SYSTEM RESET {name}' --command 'SELECT pg_reload_conf()'"
    "  # also where a role or a database has it set",
)
CONNECTIONS_FEW = Fault(
    "database-connections-few",
    "{nodes} servers may take {needed} connections, and the database has {limit} for them",
    "export PAIRQUIZ_DATABASE__POOL_MAX={fitting}  # or raise max_connections, or stand a pooler before it",
    Outcome.WARNING,
)
CLOCK = Fault(
    "database-clock",
    "the database's clock is {seconds} s {side} this machine's: tokens go by this one, dates of matches by that",
    "timedatectl set-ntp true  # on both machines",
    Outcome.WARNING,
)
TRANSACTIONS_LONG = Fault(
    "database-transactions-long",
    "a transaction of {user} has been open for {seconds} s (process {pid}, {state}): what it may see stays",
    "psql \"$DATABASE_URL\" --command 'SELECT pg_terminate_backend({pid})'",
    Outcome.WARNING,
)
SLOW = Fault(
    "database-slow",
    "one round trip to the database takes {ms} ms: every answer takes that, and more",
    "ping -c 5 {host}  # run the server in the database's own region",
    Outcome.WARNING,
)
EXPOSED = Fault(
    "database-exposed",
    "{roles} may read the schema pairquiz, where the right answers are: by Supabase's API anybody is one of them",
    "psql \"$DATABASE_URL\" --command 'REVOKE ALL ON SCHEMA pairquiz FROM {roles}'  # and expose it no more",
)
