-- Used by store/retention.py. What is no longer needed is removed, a little at a time. Each statement does nothing where
-- another node is just at it ($1 bigint the lock's number, held until the statement is committed), takes the oldest
-- rows, skips those that are being written, and returns how many it was.

-- name: forget_matches
-- Delete matches that ended before $2 (bigint, milliseconds) in the state $3 (text), at most $4 (integer).
WITH old AS MATERIALIZED (
    SELECT id FROM pairquiz.matches
    WHERE pg_try_advisory_xact_lock($1) AND status = $3::text::pairquiz.match_status AND ended_at < $2
    ORDER BY ended_at
    LIMIT $4
    FOR UPDATE SKIP LOCKED
),
drawn AS (
    DELETE FROM pairquiz.draws WHERE match_id IN (SELECT id FROM old)
),
answered AS (
    DELETE FROM pairquiz.answers WHERE match_id IN (SELECT id FROM old)
),
gone AS (
    DELETE FROM pairquiz.matches WHERE id IN (SELECT id FROM old)
)
SELECT count(*) FROM old;

-- name: forget_usage
-- Delete feature usage from before $2 (bigint, milliseconds), at most $3 (integer).
WITH gone AS (
    DELETE FROM pairquiz.feature_usage WHERE id = ANY (ARRAY (
        SELECT id FROM pairquiz.feature_usage
        WHERE pg_try_advisory_xact_lock($1) AND used_at < $2
        ORDER BY used_at
        LIMIT $3
        FOR UPDATE SKIP LOCKED))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: forget_guests
-- Wish the erasure of guests who were last seen before $2 (bigint, milliseconds) and are in no match, at most $3 (integer).
WITH wished AS (
    INSERT INTO pairquiz.erasures (player_id)
    SELECT p.id FROM pairquiz.players AS p
    WHERE pg_try_advisory_xact_lock($1)
        AND p.kind = 'guest' AND coalesce(p.seen_at, p.created_at) < $2
        -- Not as joins, which would read those tables whole for a few guests.
        AND (SELECT true FROM pairquiz.presence AS there WHERE there.player_id = p.id LIMIT 1) IS NULL
        AND (
            SELECT true FROM pairquiz.matches
            WHERE player1_id = p.id AND status IN ('waiting', 'ready', 'in_progress') LIMIT 1) IS NULL
        AND (
            SELECT true FROM pairquiz.matches
            WHERE player2_id = p.id AND status IN ('waiting', 'ready', 'in_progress') LIMIT 1) IS NULL
    ORDER BY coalesce(p.seen_at, p.created_at)
    LIMIT $3
    ON CONFLICT (player_id) DO NOTHING
    RETURNING player_id
)
SELECT count(*) FROM wished;

-- name: forget_bans
-- Delete bans that ended $2 (integer) days ago or more, at most $3 (integer).
WITH gone AS (
    DELETE FROM pairquiz.bans WHERE digest = ANY (ARRAY (
        SELECT digest FROM pairquiz.bans
        WHERE pg_try_advisory_xact_lock($1) AND until < now() - make_interval(days => $2)
        ORDER BY until
        LIMIT $3
        FOR UPDATE SKIP LOCKED))
    RETURNING digest
)
SELECT count(*) FROM gone;

-- name: forget_challenges
-- Delete challenges that expired before $2 (bigint, milliseconds), at most $3 (integer).
WITH gone AS (
    DELETE FROM pairquiz.challenges WHERE code = ANY (ARRAY (
        SELECT code FROM pairquiz.challenges
        WHERE pg_try_advisory_xact_lock($1) AND expires_at < $2
        ORDER BY expires_at
        LIMIT $3
        FOR UPDATE SKIP LOCKED))
    RETURNING code
)
SELECT count(*) FROM gone;

-- name: forget_weeks
-- Delete points of weeks before the week $2 (integer), at most $3 (integer), and their counts once they are at nothing.
WITH turn AS MATERIALIZED (
    SELECT single FROM pairquiz.rating_progress WHERE pg_try_advisory_xact_lock($1) FOR UPDATE SKIP LOCKED
),
gone AS (
    -- By their places in the table, which nobody changes while the turn is ours.
    DELETE FROM pairquiz.week_points WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM pairquiz.week_points
        WHERE week < $2 AND EXISTS (SELECT FROM turn)
        ORDER BY week, topic_id, player_id
        LIMIT $3))
    RETURNING true
),
counted AS (
    DELETE FROM pairquiz.rank_counts
    WHERE week BETWEEN 1 AND $2 - 1 AND players = 0 AND EXISTS (SELECT FROM turn)
)
SELECT count(*) FROM gone;

-- name: forget_audit
-- Delete lines of the audit that are older than $2 (integer) days, at most $3 (integer).
WITH gone AS (
    DELETE FROM pairquiz.audit WHERE id = ANY (ARRAY (
        SELECT id FROM pairquiz.audit
        WHERE pg_try_advisory_xact_lock($1) AND at < now() - make_interval(days => $2)
        ORDER BY at
        LIMIT $3
        FOR UPDATE SKIP LOCKED))
    RETURNING id
)
SELECT count(*) FROM gone;
