-- Used by store/presence.py. Who is connected to which node.

-- name: note
-- Write who has come to a node and who has left it. Who of the latter is connected nowhere is a question for a
-- statement of its own: two nodes that a player leaves at the same moment would each still see the other's row.
--   $1 uuid the node, $2 text[] who came, $3 bigint[] when, $4 text[] who left
-- A node that others have buried writes nothing: it says anew who is there when it has entered again.
WITH went AS (
    DELETE FROM pairquiz.presence WHERE node_id = $1 AND player_id = ANY ($4)
)
INSERT INTO pairquiz.presence (player_id, node_id, came_at)
SELECT player_id, $1, came_at FROM unnest($2::text[], $3::bigint[]) AS c (player_id, came_at)
WHERE EXISTS (SELECT FROM pairquiz.nodes WHERE id = $1 FOR KEY SHARE)
ON CONFLICT DO NOTHING;

-- name: find_absent
-- Those of $1 (text[]) who are connected nowhere.
SELECT player_id FROM unnest($1::text[]) AS w (player_id)
WHERE NOT EXISTS (SELECT FROM pairquiz.presence AS p WHERE p.player_id = w.player_id);

-- name: find_seats
-- The seats of players in live matches, and whether they count as away there. $1 text[] the players.
SELECT id, player1_id AS player_id, player1_absent_since IS NOT NULL AS away
FROM pairquiz.matches
WHERE player1_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress')
UNION ALL
SELECT id, player2_id, player2_absent_since IS NOT NULL
FROM pairquiz.matches
WHERE player2_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress');

-- name: find_returned
-- Seats of the matches $1 (uuid[]) that count as away though their player came in time: whoever saw it could not yet
-- mark it. With when the player came. In rounds both may come until both graces are over (Match.forsaken_at).
SELECT m.id, seat.player_id, min(p.came_at) AS came_at
FROM pairquiz.matches AS m
CROSS JOIN LATERAL (VALUES
    (m.player1_id, m.player1_reconnect_by), (m.player2_id, m.player2_reconnect_by)) AS seat (player_id, reconnect_by)
JOIN pairquiz.presence AS p ON p.player_id = seat.player_id AND p.came_at <= CASE
    WHEN m.pace = 'rounds' THEN greatest(m.player1_reconnect_by, m.player2_reconnect_by) ELSE seat.reconnect_by
END
WHERE m.id = ANY ($1) AND seat.reconnect_by IS NOT NULL
GROUP BY m.id, seat.player_id;

-- name: find_unmarked
-- Running matches in which somebody counts as away who is connected to a node that has been silent for $1 (bigint,
-- milliseconds) while the service lived: that node could perhaps not mark it, and what it has written goes with it.
WITH there AS MATERIALIZED (
    SELECT p.player_id
    FROM pairquiz.nodes AS n JOIN pairquiz.presence AS p ON p.node_id = n.id
    WHERE n.beaten_at < (SELECT game_at FROM pairquiz.heartbeat) - $1
)
SELECT id FROM pairquiz.matches
WHERE player1_id = ANY (ARRAY (SELECT player_id FROM there)) AND status = 'in_progress'
    AND player1_reconnect_by IS NOT NULL
UNION
SELECT id FROM pairquiz.matches
WHERE player2_id = ANY (ARRAY (SELECT player_id FROM there)) AND status = 'in_progress'
    AND player2_reconnect_by IS NOT NULL;

-- name: find_mistakes
-- Seats of live matches whose player is connected and counts as away, or is not connected and does not, with whether
-- they count as away; at most $1 (integer). Who has completed a running match is never away, nor is a ghost.
SELECT id, player_id, away
FROM (
    SELECT id, player1_id AS player_id, player1_absent_since IS NOT NULL AS away, player1_completed_at AS completed_at
    FROM pairquiz.matches WHERE ended_at IS NULL
    UNION ALL
    SELECT id, player2_id, player2_absent_since IS NOT NULL, player2_completed_at
    FROM pairquiz.matches WHERE ended_at IS NULL AND status <> 'waiting' AND ghost_match_id IS NULL
) AS seat
WHERE completed_at IS NULL
    AND away = EXISTS (SELECT FROM pairquiz.presence AS p WHERE p.player_id = seat.player_id)
LIMIT $1;
