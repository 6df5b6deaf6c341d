-- Used by store/census.py. How much of everything there is, for whoever watches over the service.

-- name: matches
-- How many live matches there are of each status, and how many of their seats are away.
SELECT status::text, count(*) AS matches, count(player1_absent_since) + count(player2_absent_since) AS absent
FROM pairquiz.matches
WHERE ended_at IS NULL
GROUP BY status;

-- name: service
-- Who looks for an opponent, and since when the longest (the game's clock; null where nobody does); how many nodes have
-- given a sign of life within $1 (bigint, milliseconds); the end of the oldest match that is not rated, of those that
-- ended after the last one that is (null where all are); and the game's clock, null where no node has ever run.
SELECT
    (SELECT count(*) FROM pairquiz.seekers WHERE match_id IS NULL) AS seekers,
    (SELECT min(since) FROM pairquiz.seekers WHERE match_id IS NULL) AS seeking_since,
    (SELECT count(*) FROM pairquiz.nodes WHERE beaten_at >= (SELECT game_at FROM pairquiz.heartbeat) - $1) AS nodes,
    (
        SELECT m.ended_at FROM pairquiz.matches AS m
        WHERE m.status = 'completed' AND m.ended_at > (SELECT rated_until FROM pairquiz.rating_progress)
        ORDER BY m.ended_at
        LIMIT 1
    ) AS unrated_since,
    (SELECT game_at FROM pairquiz.heartbeat) AS now;

-- name: sessions
-- The sessions of this database by state (`other` where we may not know), how many PostgreSQL takes in all, and for how
-- many seconds the longest query of each state goes on; null where none does, and this query itself is none.
SELECT
    coalesce(state, 'other') AS state,
    count(*) AS sessions,
    current_setting('max_connections')::integer AS most,
    extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()))
        ::double precision AS longest_s
FROM pg_stat_activity
WHERE datname = current_database() AND coalesce(backend_type = 'client backend', true)
GROUP BY 1;
