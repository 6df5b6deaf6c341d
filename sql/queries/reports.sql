-- Used by store/reports.py. What players say is wrong with questions.

-- name: note
-- Keep what a player says of a question, in the place of what the player has said of it before; returns whether that is
-- news. Nothing is kept of somebody who is erased, or about to be: the row of the player is held until this is written.
-- $1 text the player's id, $2 bigint the question's, $3 text the reason, $4 text the note or null, $5 bigint now
-- (milliseconds).
WITH reporter AS MATERIALIZED (
    SELECT id FROM pairquiz.players
    WHERE id = $1 AND NOT EXISTS (SELECT FROM pairquiz.erasures WHERE player_id = $1)
    FOR KEY SHARE
),
noted AS (
    INSERT INTO pairquiz.reports AS r (player_id, question_id, reason, note, reported_at)
    SELECT id, $2, $3::text::pairquiz.report_reason, $4, $5 FROM reporter
    ON CONFLICT (player_id, question_id) DO UPDATE
    SET reason = excluded.reason, note = excluded.note, reported_at = excluded.reported_at
    WHERE (r.reason, r.note) IS DISTINCT FROM (excluded.reason, excluded.note)
    RETURNING player_id
)
SELECT EXISTS (SELECT FROM noted);

-- name: find
-- The questions that were reported, those with the most reports first, then the latest: how often for which reason, and
-- the last $4 (integer) notes. At most $3 (integer), of one topic where $1 (text, its key) is not null; those that were
-- edited since only where $2 (boolean) is true.
WITH counted AS MATERIALIZED (
    SELECT r.question_id, sum(r.times)::integer AS reports, max(r.last_at) AS last_at,
           array_agg(r.reason::text ORDER BY r.times DESC, r.reason) AS reasons,
           array_agg(r.times ORDER BY r.times DESC, r.reason) AS times
    FROM (
        SELECT question_id, reason, count(*)::integer AS times, max(reported_at) AS last_at
        FROM pairquiz.reports GROUP BY question_id, reason
    ) AS r
    GROUP BY r.question_id
)
SELECT q.key::text AS key, q.id, t.name AS topic, q.text, q.retired_at IS NOT NULL AS edited,
       c.reports, c.reasons, c.times, c.last_at,
       ARRAY (
           SELECT n.note FROM pairquiz.reports AS n
           WHERE n.question_id = q.id AND n.note IS NOT NULL
           ORDER BY n.reported_at DESC, n.player_id LIMIT $4
       ) AS notes
FROM counted AS c
JOIN pairquiz.questions AS q ON q.id = c.question_id
JOIN pairquiz.topics AS t ON t.id = q.topic_id
WHERE (q.retired_at IS NULL OR $2) AND ($1::text IS NULL OR t.key = $1)
ORDER BY c.reports DESC, c.last_at DESC, q.id
LIMIT $3;
