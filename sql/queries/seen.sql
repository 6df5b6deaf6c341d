-- Used by store/seen.py. Which questions players have answered lately. A new match does without them.

-- name: find_last
-- The last $2 (integer) answers of players over all their matches, the latest at the end, and whether a match of theirs
-- runs. $1 text[] the players. One that is not known has a row too.
-- An answer has no player and no index by time (it is written far more often than it is looked for), and matches of one
-- player may overlap. So first, $2 answers of those matches that ended last are found: the last $2 of all are no older
-- than the oldest of these (`since`), and not in matches that ended before it.
SELECT
    p.player_id,
    recent.question_ids,
    recent.times,
    EXISTS (SELECT FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NULL)
        OR EXISTS (SELECT FROM pairquiz.matches
                   WHERE player2_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NULL) AS playing
FROM unnest($1::text[]) AS p (player_id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) = $2 THEN min(of_latest.arrived_at) ELSE 0 END AS since
    FROM (
        SELECT a.arrived_at
        FROM (
            SELECT id, 1 AS player, ended_at FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL
            UNION ALL
            SELECT id, 2, ended_at FROM pairquiz.matches
            WHERE player2_id = p.player_id AND started_at IS NOT NULL
        ) AS m
        JOIN pairquiz.answers AS a ON a.match_id = m.id AND a.player = m.player
        ORDER BY m.ended_at DESC
        LIMIT $2
    ) AS of_latest
) AS bound
CROSS JOIN LATERAL (
    SELECT array_agg(last.question_id ORDER BY last.arrived_at, last.question_id) AS question_ids,
           array_agg(last.arrived_at ORDER BY last.arrived_at, last.question_id) AS times
    FROM (
        SELECT a.question_id, a.arrived_at
        FROM (
            SELECT id, 1 AS player FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NULL
            UNION ALL
            SELECT id, 2 FROM pairquiz.matches
            WHERE player2_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NULL
            UNION ALL
            SELECT id, 1 FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL AND ended_at >= bound.since
            UNION ALL
            SELECT id, 2 FROM pairquiz.matches
            WHERE player2_id = p.player_id AND started_at IS NOT NULL AND ended_at >= bound.since
        ) AS m
        JOIN pairquiz.answers AS a ON a.match_id = m.id AND a.player = m.player
        WHERE a.arrived_at >= bound.since
        ORDER BY a.arrived_at DESC
        LIMIT $2
    ) AS last
) AS recent;
