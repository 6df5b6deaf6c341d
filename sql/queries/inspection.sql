-- Used by store/inspection.py. Matches and players as an operator sees them.

-- name: live
-- Which live matches there are, the newest first, at most $5 (integer), and the time that places each: those in the state $1
-- (text, null for every one) and of the topic $2 (text its key, null for every one) that were created before $3 (bigint), or
-- then have a smaller id than $4 (uuid).
SELECT m.id, m.created_at AS place
FROM pairquiz.matches AS m JOIN pairquiz.topics AS t ON t.id = m.topic_id
WHERE m.ended_at IS NULL
    AND ($1::text IS NULL OR m.status = $1::text::pairquiz.match_status) AND ($2::text IS NULL OR t.key = $2)
    AND (m.created_at, m.id) < ($3, $4)
ORDER BY m.created_at DESC, m.id DESC
LIMIT $5;

-- name: ended
-- The same of matches that are over, the latest end first: $1 text the state, $3 bigint and $4 uuid where the page begins, by
-- the end.
SELECT m.id, m.ended_at AS place
FROM pairquiz.matches AS m JOIN pairquiz.topics AS t ON t.id = m.topic_id
WHERE m.status = $1::text::pairquiz.match_status AND m.ended_at IS NOT NULL AND ($2::text IS NULL OR t.key = $2)
    AND m.ended_at <= $3 AND (m.ended_at, m.id) < ($3, $4)
ORDER BY m.ended_at DESC, m.id DESC
LIMIT $5;

-- name: of_player
-- The same of one player's matches, the newest first: $6 text the player's id, $1 text the state (null for every one).
SELECT m.id, m.created_at AS place
FROM (
    SELECT id, created_at, status, topic_id FROM pairquiz.matches WHERE player1_id = $6
    UNION ALL
    SELECT id, created_at, status, topic_id FROM pairquiz.matches WHERE player2_id = $6
) AS m JOIN pairquiz.topics AS t ON t.id = m.topic_id
WHERE ($1::text IS NULL OR m.status = $1::text::pairquiz.match_status) AND ($2::text IS NULL OR t.key = $2)
    AND (m.created_at, m.id) < ($3, $4)
ORDER BY m.created_at DESC, m.id DESC
LIMIT $5;

-- name: listed
-- Matches as a list shows them, in the order of $1 (uuid[]), each with the time of $2 (bigint[]) that places it.
SELECT
    m.id::text, m.version, m.status::text, t.name AS topic, m.origin::text, m.pace::text, m.question_count,
    m.player1_id, p1.display_name AS player1_name, m.player1_score, m.player1_absent_since IS NOT NULL AS player1_away,
    m.player2_id, p2.display_name AS player2_name, m.player2_score, m.player2_absent_since IS NOT NULL AS player2_away,
    m.created_at, m.started_at, m.ended_at,
    CASE WHEN m.by_operator THEN 'operator' ELSE m.end_reason::text END AS end_reason, w.place
FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS w (id, place, number)
JOIN pairquiz.matches AS m ON m.id = w.id
JOIN pairquiz.topics AS t ON t.id = m.topic_id
JOIN pairquiz.players AS p1 ON p1.id = m.player1_id
LEFT JOIN pairquiz.players AS p2 ON p2.id = m.player2_id
ORDER BY w.number;

-- name: version
-- In which version a match is. $1 uuid.
SELECT version FROM pairquiz.matches WHERE id = $1;

-- name: whereabouts
-- Where players are: the nodes that each is connected to, the live matches, and how strong each is over all topics (null where
-- nothing was rated). $1 text[] the players.
SELECT
    w.player_id,
    ARRAY (SELECT node_id::text FROM pairquiz.presence AS p WHERE p.player_id = w.player_id ORDER BY came_at) AS nodes,
    ARRAY (
        SELECT id::text FROM (
            SELECT id, created_at FROM pairquiz.matches
            WHERE player1_id = w.player_id AND status IN ('waiting', 'ready', 'in_progress')
            UNION ALL
            SELECT id, created_at FROM pairquiz.matches
            WHERE player2_id = w.player_id AND status IN ('waiting', 'ready', 'in_progress')
        ) AS live ORDER BY created_at
    ) AS live_matches,
    (SELECT rating FROM pairquiz.ratings AS r WHERE r.player_id = w.player_id AND r.topic_id = 0) AS rating
FROM unnest($1::text[]) AS w (player_id);
