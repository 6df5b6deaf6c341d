-- Used by store/vitals.py. How the nodes of this database fare.

-- name: tell
-- A node says how it fares. $1 uuid the node, $2 json what it says. One that others have buried says nothing.
INSERT INTO pairquiz.vitals (node_id, told)
SELECT $1, $2::json WHERE EXISTS (SELECT FROM pairquiz.nodes WHERE id = $1)
ON CONFLICT (node_id) DO UPDATE SET told = excluded.told;

-- name: read
-- All nodes, the oldest first: since when they serve, for how long they gave no sign of life (the game's clock,
-- milliseconds), and what they last said of themselves; null where that was nothing yet.
SELECT n.id, n.started_at, greatest(h.game_at - n.beaten_at, 0) AS silent_ms, v.told::text
FROM pairquiz.nodes AS n
CROSS JOIN pairquiz.heartbeat AS h
LEFT JOIN pairquiz.vitals AS v ON v.node_id = n.id
ORDER BY n.started_at, n.id;

-- name: longest
-- The query of this database that goes on for longest, and for how many seconds; this one is none. Without its
-- parameters, which PostgreSQL does not show.
SELECT
    pid,
    extract(epoch FROM clock_timestamp() - query_start)::double precision AS seconds,
    left(regexp_replace(query, '\s+', ' ', 'g'), 200) AS query
FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    AND coalesce(backend_type = 'client backend', true)
ORDER BY query_start
LIMIT 1;
