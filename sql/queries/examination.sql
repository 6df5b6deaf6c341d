-- Used by store/examination.py. What `pairquiz-server doctor` asks a database; nothing here needs the schema, or changes anything.

-- name: facts
-- What the server is, and what this role may do there. Times in milliseconds.
SELECT
    current_setting('server_version_num')::int AS version,
    current_setting('server_version') AS version_text,
    current_user AS role,
    current_database() AS database,
    pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only')::boolean AS read_only,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
    -- What ordinary roles may have together, and what of it this role, or this database, may have.
    least(
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0),
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
    ) AS connections,
    has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
    EXISTS (SELECT FROM pg_namespace WHERE nspname = 'pairquiz') AS has_schema,
    coalesce((
        SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'pairquiz'
    ), false) AS owns_schema,
    to_regclass('pairquiz.schema_migrations') IS NOT NULL AS has_migrations,
    coalesce((
        SELECT bool_and(has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE'))
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'pairquiz' AND c.relkind IN ('r', 'p')
    ), true) AS may_write,
    ARRAY(
        SELECT name FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
        ORDER BY name
    ) AS lax,
    -- Roles of Supabase's API, by which anybody may come.
    ARRAY(
        SELECT r.rolname::text FROM pg_roles AS r JOIN pg_namespace AS n ON n.nspname = 'pairquiz'
        WHERE r.rolname IN ('anon', 'authenticated') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
        ORDER BY r.rolname
    ) AS exposed_to;

-- name: applied
-- Which migrations the database has had.
SELECT number, name, checksum FROM pairquiz.schema_migrations ORDER BY number;

-- name: nodes
-- How many servers run on the database: those that have given a sign of life within $1 (bigint, milliseconds); and the
-- name, in hexadecimal, by which they find each other at Redis, null where none has been made.
SELECT
    (
        SELECT count(*) FROM pairquiz.nodes AS n, pairquiz.heartbeat AS h
        WHERE n.beaten_at > h.game_at - $1
            AND h.beaten_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1
    ) AS alive,
    (SELECT encode(value, 'hex') FROM pairquiz.server_state WHERE key = 'relay_channel') AS channel;

-- name: long_transactions
-- The transactions of this database that have been open for longer than $1 (bigint, seconds), the oldest first; those of
-- other roles are seen by members of pg_read_all_stats alone.
SELECT
    pid,
    usename::text AS role,
    state,
    extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - $1 * interval '1 second'
ORDER BY xact_start
LIMIT 3;

-- name: nothing
-- As little as can be asked: how long that takes is the way there and back.
SELECT 1;
