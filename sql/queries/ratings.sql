-- Used by store/ratings.py. How matches that are over become results, ratings and points of the week: by one process at a
-- time, in the order in which they ended.

-- name: hold
-- Be the one who rates, or stay it: for $2 (double precision, seconds) from now. Returns until where is rated; no row where
-- another process does. $1 uuid the process.
UPDATE pairquiz.rating_progress
SET holder = $1, held_until = clock_timestamp() + make_interval(secs => $2)
WHERE holder = $1 OR held_until < clock_timestamp()
RETURNING rated_until;

-- name: find
-- Completed matches that nobody is done with, by their end, from $1 (bigint, milliseconds) on, at most $2 (integer): who has
-- played, how it ended, and what tells whether it was fair. `root` is the origin of the first match of its series, null
-- where that is more than $3 (integer) matches back. The `ghost_…` are what the player of a recorded run was rated after it, and
-- `recorded_id` is who that is, where it is known.
WITH fresh AS MATERIALIZED (
    SELECT * FROM pairquiz.matches AS m
    WHERE status = 'completed' AND ended_at >= $1
        -- Not as a join, for which all results might be read.
        AND (SELECT true FROM pairquiz.results AS r WHERE r.match_id = m.id LIMIT 1) IS NULL
    ORDER BY ended_at, id
    LIMIT $2
)
SELECT
    m.id, m.topic_id, t.name AS topic, m.ended_at, m.origin::text, m.scoring::text, m.question_count,
    m.end_reason::text, m.forfeited_by, m.player1_id, m.player2_id, m.player1_score, m.player2_score,
    one.kind::text AS player1_kind, two.kind::text AS player2_kind,
    m.player1_absence_cause::text AS player1_away, m.player2_absence_cause::text AS player2_away,
    m.paused_at IS NOT NULL AS paused, m.ghost_match_id,
    m.player1_score <> 0 OR m.player2_score <> 0
        OR EXISTS (SELECT FROM pairquiz.answers AS a WHERE a.match_id = m.id) AS answered,
    (
        WITH RECURSIVE series (origin, previous_id, place) AS (
            SELECT m.origin, m.previous_id, 1
            UNION ALL
            SELECT b.origin, b.previous_id, s.place + 1
            FROM series AS s JOIN pairquiz.matches AS b ON b.id = s.previous_id
            WHERE s.place < $3
        )
        SELECT origin::text FROM series WHERE origin <> 'rematch' LIMIT 1
    ) AS root,
    m.ghost_match_id IS NOT NULL AND (
        EXISTS (
            SELECT FROM pairquiz.results AS r
            WHERE r.player_id = m.player1_id AND r.ghost_match_id = m.ghost_match_id AND r.ghost_match_id IS NOT NULL)
        OR EXISTS (
            SELECT FROM pairquiz.results AS r WHERE r.match_id = m.ghost_match_id AND r.player_id = m.player1_id)
        -- Or another match on the same draw: a run may itself have been played against a run.
        OR EXISTS (
            SELECT FROM pairquiz.results AS r JOIN pairquiz.draws AS known ON known.match_id = r.match_id
            WHERE r.player_id = m.player1_id AND r.topic_id = m.topic_id AND known.question_ids = d.question_ids)
    ) AS replayed,
    d.question_ids, m.ghost_player,
    CASE WHEN m.ghost_player = 1 THEN recorded.player1_id ELSE recorded.player2_id END AS recorded_id,
    g.rating_after AS ghost_rating, g.deviation AS ghost_deviation,
    g.overall_after AS ghost_overall, g.overall_deviation AS ghost_overall_deviation
FROM fresh AS m
JOIN pairquiz.topics AS t ON t.id = m.topic_id
JOIN pairquiz.players AS one ON one.id = m.player1_id
JOIN pairquiz.players AS two ON two.id = m.player2_id
LEFT JOIN pairquiz.draws AS d ON d.match_id = m.id
LEFT JOIN pairquiz.matches AS recorded ON recorded.id = m.ghost_match_id
LEFT JOIN pairquiz.results AS g ON g.match_id = m.ghost_match_id AND g.player = m.ghost_player
ORDER BY m.ended_at, m.id;

-- name: read
-- Ratings of players in topics (0 for over all), those that there are. $1 text[] players, $2 integer[] their topics.
SELECT r.player_id, r.topic_id, r.rating, r.deviation, r.volatility, r.matches, r.rated_at
FROM unnest($1::text[], $2::integer[]) AS asked (player_id, topic_id)
JOIN pairquiz.ratings AS r ON r.player_id = asked.player_id AND r.topic_id = asked.topic_id;

-- name: write
-- Write what a batch of matches has made, all or nothing; returns true, and no row where another process rates meanwhile.
-- $1 uuid the process, $2 double precision for how many seconds it stays the one, $3 bigint the end of the last match of
-- the batch, $4 text[] all its players, $5 text the stand-in's id, $6 json results, $7 json ratings, $8 json points of the
-- week. Of whom is to be erased, or has gone meanwhile, nothing is written; the others' results then name the stand-in.
WITH held AS MATERIALIZED (
    UPDATE pairquiz.rating_progress
    SET rated_until = greatest(rated_until, $3), held_until = clock_timestamp() + make_interval(secs => $2)
    WHERE holder = $1
    RETURNING true AS done
), known AS MATERIALIZED (
    SELECT id FROM pairquiz.players AS p
    WHERE id = ANY ($4) AND EXISTS (SELECT FROM held)
        AND NOT EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id)
    FOR KEY SHARE
), remembered AS (
    INSERT INTO pairquiz.results (
        match_id, player, player_id, opponent_id, ghost_match_id, topic_id, outcome, ended_at, weight,
        rating_before, rating_after, deviation, overall_before, overall_after, overall_deviation)
    SELECT
        n.match_id, n.player, n.player_id,
        CASE WHEN n.ghost_match_id IS NULL THEN coalesce(other.id, $5) END, n.ghost_match_id,
        n.topic_id, n.outcome, n.ended_at, n.weight,
        n.rating_before, n.rating_after, n.deviation, n.overall_before, n.overall_after, n.overall_deviation
    FROM json_to_recordset($6) AS n (
        match_id uuid, player smallint, player_id text, opponent_id text, ghost_match_id uuid, topic_id integer,
        outcome pairquiz.outcome, ended_at bigint, weight real,
        rating_before double precision, rating_after double precision, deviation double precision,
        overall_before double precision, overall_after double precision, overall_deviation double precision)
    JOIN known ON known.id = n.player_id
    LEFT JOIN known AS other ON other.id = n.opponent_id
), rated AS (
    INSERT INTO pairquiz.ratings (player_id, topic_id, rating, deviation, volatility, matches, rated_at)
    SELECT n.player_id, n.topic_id, n.rating, n.deviation, n.volatility, n.matches, n.rated_at
    FROM json_to_recordset($7) AS n (
        player_id text, topic_id integer, rating double precision, deviation double precision,
        volatility double precision, matches integer, rated_at bigint)
    JOIN known ON known.id = n.player_id
    ON CONFLICT (player_id, topic_id) DO UPDATE SET
        rating = excluded.rating, deviation = excluded.deviation, volatility = excluded.volatility,
        matches = excluded.matches, rated_at = excluded.rated_at
), scored AS (
    INSERT INTO pairquiz.week_points AS w (week, topic_id, player_id, points, matches)
    SELECT n.week, n.topic_id, n.player_id, n.points, n.matches
    FROM json_to_recordset($8) AS n (
        week integer, topic_id integer, player_id text, points integer, matches integer)
    JOIN known ON known.id = n.player_id
    ON CONFLICT (week, topic_id, player_id) DO UPDATE SET
        points = w.points + excluded.points, matches = w.matches + excluded.matches
)
SELECT done FROM held;
