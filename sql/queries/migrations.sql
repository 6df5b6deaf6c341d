-- Used by store/migrations.py. Which migrations a database has had.

-- name: lock
-- One node at a time migrates; the lock is gone with the transaction. (The number is arbitrary, and ours.)
SELECT pg_advisory_xact_lock(7203482911);

-- name: prepare
-- Make the schema, and the list of what was applied.
CREATE SCHEMA IF NOT EXISTS pairquiz;
CREATE TABLE pairquiz.schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  pairquiz.schema_migrations            IS 'Which files of sql/migrations this database has had.';
COMMENT ON COLUMN pairquiz.schema_migrations.number     IS 'The file''s number.';
COMMENT ON COLUMN pairquiz.schema_migrations.name       IS 'The file''s name.';
COMMENT ON COLUMN pairquiz.schema_migrations.checksum   IS 'SHA-256 of the file: one that was applied must not change.';
COMMENT ON COLUMN pairquiz.schema_migrations.applied_at IS 'When.';

-- name: prepared
-- Whether the list is there at all.
SELECT to_regclass('pairquiz.schema_migrations') IS NOT NULL;

-- name: applied
-- All that was applied.
SELECT number, name, checksum, applied_at::text FROM pairquiz.schema_migrations ORDER BY number;

-- name: record
-- Note one as applied. $1 number, $2 name, $3 checksum.
INSERT INTO pairquiz.schema_migrations (number, name, checksum) VALUES ($1, $2, $3);

-- name: bound
-- Bound the statements of this transaction: beyond that nothing of it happens. $1 text how long each may wait for a
-- lock, $2 text how long each may take (both with their unit; 0 is without end).
SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true);

-- name: holder
-- Who has held a table of ours for the longest: the session, its program, for how many seconds, and what it does.
SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, 'another role') AS who,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::bigint, 0) AS seconds,
    coalesce(a.state, 'unknown') AS state
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND EXISTS (
        SELECT FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
        WHERE l.pid = a.pid AND l.granted AND c.relnamespace = to_regnamespace('pairquiz')
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY a.xact_start
LIMIT 1;

-- name: tables
-- How large tables are, by what the database last counted. $1 text[] their names.
SELECT relname::text AS name, greatest(reltuples, 0)::bigint AS rows, pg_total_relation_size(oid) AS bytes
FROM pg_class
WHERE relnamespace = to_regnamespace('pairquiz') AND relname = ANY ($1::text[]);
