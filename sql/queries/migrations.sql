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
SELECT number, checksum, applied_at::text FROM pairquiz.schema_migrations ORDER BY number;

-- name: record
-- Note one as applied. $1 number, $2 name, $3 checksum.
INSERT INTO pairquiz.schema_migrations (number, name, checksum) VALUES ($1, $2, $3);
