-- Used by store/seen.py. Which questions players have answered lately. A new match does without them.

-- name: find_last
-- The last $2 (integer) answers of players over all their matches, the latest at the end, and whether a match of theirs
-- runs. $1 text[] the players. One that is not known has a row too.
-- An answer has no player and no index by time (it is written far more often than it is looked for), and matches of one
-- player may overlap. So first, $2 answers are found in those matches that ended last (in none where all of these have
-- less). The last $2 of all are no older than the oldest of them (`since`), and in no match that ended before it.
-- That a match runs is asked by its status: an index of all live matches must not look like the shorter way. OFFSET 0
-- keeps the answers of a match a look by its key, one match after the other, until there are enough. That the ends of
-- matches have an upper bound, too, lets few of them be expected, and so be looked for by the index that has them.
SELECT p.player_id, recent.question_ids, recent.times,
    EXISTS (SELECT FROM pairquiz.matches WHERE player1_id = p.player_id AND status = 'in_progress')
        OR EXISTS (SELECT FROM pairquiz.matches WHERE player2_id = p.player_id AND status = 'in_progress') AS playing
FROM unnest($1::text[]) AS p (player_id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) = $2 THEN min(latest.arrived_at) ELSE 0 END AS since
    FROM (
        (SELECT a.arrived_at FROM (
            SELECT id FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NOT NULL
            ORDER BY ended_at DESC LIMIT $2
        ) AS m CROSS JOIN LATERAL (
            SELECT arrived_at FROM pairquiz.answers WHERE match_id = m.id AND player = 1 OFFSET 0
        ) AS a LIMIT $2)
        UNION ALL
        (SELECT a.arrived_at FROM (
            SELECT id FROM pairquiz.matches
            WHERE player2_id = p.player_id AND started_at IS NOT NULL AND ended_at IS NOT NULL
            ORDER BY ended_at DESC LIMIT $2
        ) AS m CROSS JOIN LATERAL (
            SELECT arrived_at FROM pairquiz.answers WHERE match_id = m.id AND player = 2 OFFSET 0
        ) AS a LIMIT $2)
        ORDER BY arrived_at DESC
        LIMIT $2
    ) AS latest
) AS bound
CROSS JOIN LATERAL (
    SELECT array_agg(last.question_id ORDER BY last.arrived_at, last.question_id) AS question_ids,
           array_agg(last.arrived_at ORDER BY last.arrived_at, last.question_id) AS times
    FROM (
        SELECT a.question_id, a.arrived_at
        FROM (
            SELECT id, 1 AS player FROM pairquiz.matches WHERE player1_id = p.player_id AND status = 'in_progress'
            UNION ALL
            SELECT id, 2 FROM pairquiz.matches WHERE player2_id = p.player_id AND status = 'in_progress'
            UNION ALL
            SELECT id, 1 FROM pairquiz.matches
            WHERE player1_id = p.player_id AND started_at IS NOT NULL AND ended_at BETWEEN bound.since AND 9223372036854775807
            UNION ALL
            SELECT id, 2 FROM pairquiz.matches
            WHERE player2_id = p.player_id AND started_at IS NOT NULL AND ended_at BETWEEN bound.since AND 9223372036854775807
        ) AS m
        CROSS JOIN LATERAL (
            SELECT question_id, arrived_at FROM pairquiz.answers
            WHERE match_id = m.id AND player = m.player AND arrived_at >= bound.since OFFSET 0
        ) AS a
        ORDER BY a.arrived_at DESC
        LIMIT $2
    ) AS last
) AS recent;
