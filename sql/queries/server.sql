-- Used by store/server.py. What the servers of one database share, and what they must know of it.

-- name: time
-- The database's clock, in whole milliseconds since the epoch.
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- name: durability
-- The settings without which an acknowledged answer could be lost; each must be on.
SELECT name, setting FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off';

-- name: get
-- A shared value. $1 text its key.
SELECT value FROM pairquiz.server_state WHERE key = $1;

-- name: put_first
-- Write a shared value, unless somebody has. Returns whether this call wrote it. $1 text its key, $2 bytea.
INSERT INTO pairquiz.server_state (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING true;
