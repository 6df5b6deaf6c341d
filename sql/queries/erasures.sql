-- Used by store/erasures.py. How a person is erased: step by step, each of which may be repeated, by any node.
-- What others have played against the person stays theirs: the seat then belongs to one stand-in for all who were erased.

-- name: wish
-- Note that a player is to be erased. $1 text the player's id.
INSERT INTO pairquiz.erasures (player_id) VALUES ($1) ON CONFLICT (player_id) DO NOTHING;

-- name: pending
-- Who is to be erased, the oldest wish first, at most $1 (integer).
SELECT player_id FROM pairquiz.erasures ORDER BY wished_at, player_id LIMIT $1;

-- name: stand_in
-- Make the stand-in's row, where nobody was ever erased. $1 text its id, $2 text its name.
INSERT INTO pairquiz.players (id, kind, display_name, created_at) VALUES ($1, 'erased', $2, 0)
ON CONFLICT (id) DO NOTHING;

-- name: vacate
-- Take a player off the seats of matches that are over, at most $3 (integer) of each seat at once; a match that nobody else has
-- played, or nobody but a ghost, is deleted, and nobody has a rematch of the others. (Ghosts of the player's own runs go on: they have their steps
-- with them.) Returns how many matches it was. $1 text the player's id, $2 text the stand-in's.
-- Live matches are not touched: they belong to the committer. Waits for nobody's lock: a match that is just being
-- written is left for the next time.
WITH created AS MATERIALIZED (
    SELECT id, coalesce(player2_id, $2) = $2 OR ghost_match_id IS NOT NULL AS alone
    FROM pairquiz.matches
    WHERE player1_id = $1 AND ended_at IS NOT NULL
    LIMIT $3
    FOR UPDATE SKIP LOCKED
),
joined AS MATERIALIZED (
    SELECT id, player1_id = $2 AS alone
    FROM pairquiz.matches
    WHERE player2_id = $1 AND ended_at IS NOT NULL
    LIMIT $3
    FOR UPDATE SKIP LOCKED
),
own AS MATERIALIZED (
    SELECT id, alone FROM created UNION ALL SELECT id, alone FROM joined
),
drawn AS (
    DELETE FROM pairquiz.draws WHERE match_id IN (SELECT id FROM own WHERE alone)
),
answered AS (
    DELETE FROM pairquiz.answers WHERE match_id IN (SELECT id FROM own WHERE alone)
),
gone AS (
    DELETE FROM pairquiz.matches WHERE id IN (SELECT id FROM own WHERE alone)
),
unasked AS (
    DELETE FROM pairquiz.rematches WHERE match_id IN (SELECT id FROM own WHERE NOT alone)
),
vacated AS (
    UPDATE pairquiz.matches
    SET request_id = CASE WHEN player1_id <> $1 THEN request_id END,
        player1_id = CASE WHEN player1_id = $1 THEN $2 ELSE player1_id END,
        player2_id = CASE WHEN player2_id = $1 THEN $2 ELSE player2_id END
    WHERE id IN (SELECT id FROM own WHERE NOT alone)
)
SELECT count(*) FROM own;

-- name: unlink
-- Let the feature usage of a player be the stand-in's, at most $3 (integer) rows at once; returns how many it was:
-- the counts of the days stay. $1 text the player's id, $2 text the stand-in's.
WITH own AS (
    UPDATE pairquiz.feature_usage SET player_id = $2 WHERE id = ANY (ARRAY (
        SELECT id FROM pairquiz.feature_usage WHERE player_id = $1 LIMIT $3 FOR UPDATE SKIP LOCKED))
    RETURNING id
)
SELECT count(*) FROM own;

-- name: unrate
-- Take a player out of what is remembered of matches: results, at most $3 (integer) at once, and with them the ratings and the
-- points of weeks. Returns how many results it was. The opponents' results then name the stand-in.
-- $1 text the player's id, $2 text the stand-in's.
WITH turn AS MATERIALIZED (
    SELECT single FROM pairquiz.rating_progress FOR UPDATE
),
own AS MATERIALIZED (
    SELECT match_id, player FROM pairquiz.results
    WHERE player_id = $1 AND EXISTS (SELECT FROM turn)
    LIMIT $3
),
named AS (
    UPDATE pairquiz.results SET opponent_id = $2
    WHERE match_id IN (SELECT match_id FROM own) AND opponent_id = $1
),
gone AS (
    DELETE FROM pairquiz.results WHERE (match_id, player) IN (SELECT match_id, player FROM own)
),
unrated AS (
    DELETE FROM pairquiz.ratings WHERE player_id = $1 AND EXISTS (SELECT FROM turn)
),
unlisted AS (
    DELETE FROM pairquiz.week_points WHERE player_id = $1 AND EXISTS (SELECT FROM turn)
)
SELECT count(*) FROM own;

-- name: finish
-- Erase a player's own row and what is left (blocks and encounters go with the row; lines of the audit stay, without
-- the id), and last the wish; returns true
-- where it is done. Not before everything
-- else is, and not sooner than $3 (double precision, seconds) after the wish: until then a node that has not heard of it
-- may still be writing something of the player's. $1 text the player's id, $2 bytea its digest.
WITH ripe AS MATERIALIZED (
    SELECT player_id FROM pairquiz.erasures
    WHERE player_id = $1 AND wished_at <= clock_timestamp() - make_interval(secs => $3)
        AND NOT EXISTS (SELECT FROM pairquiz.matches WHERE player1_id = $1)
        AND NOT EXISTS (SELECT FROM pairquiz.matches WHERE player2_id = $1)
        AND NOT EXISTS (SELECT FROM pairquiz.feature_usage WHERE player_id = $1)
        AND NOT EXISTS (SELECT FROM pairquiz.results WHERE player_id = $1)
        AND NOT EXISTS (SELECT FROM pairquiz.ratings WHERE player_id = $1)
        AND NOT EXISTS (SELECT FROM pairquiz.week_points WHERE player_id = $1)
    FOR UPDATE
),
elsewhere AS (
    DELETE FROM pairquiz.presence WHERE player_id IN (SELECT player_id FROM ripe)
),
seeking AS (
    DELETE FROM pairquiz.seekers WHERE player_id IN (SELECT player_id FROM ripe)
),
nameless AS (
    UPDATE pairquiz.bans SET player_id = NULL, reason = NULL
    WHERE digest = $2 AND EXISTS (SELECT FROM ripe)
),
masked AS (
    UPDATE pairquiz.audit SET subject = 'erased:' || left(encode($2, 'hex'), 16)
    WHERE subject = $1 AND EXISTS (SELECT FROM ripe)
),
gone AS (
    DELETE FROM pairquiz.players WHERE id IN (SELECT player_id FROM ripe)
)
DELETE FROM pairquiz.erasures WHERE player_id IN (SELECT player_id FROM ripe)
RETURNING true;
