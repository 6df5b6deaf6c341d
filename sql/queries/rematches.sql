-- Used by store/rematches.py. Who wants to play the same opponent once more, and whether they do.

-- name: look
-- What is known of the rematch of the match $1 (uuid): when each of its players has asked, whether each has blocked the
-- other, and the match that follows. No row where there is no such match, or nobody had joined it.
SELECT
    r.player1_asked_at, r.player2_asked_at,
    EXISTS (
        SELECT FROM pairquiz.blocks WHERE player_id = m.player1_id AND blocked_id = m.player2_id) AS player1_blocks,
    EXISTS (
        SELECT FROM pairquiz.blocks WHERE player_id = m.player2_id AND blocked_id = m.player1_id) AS player2_blocks,
    (SELECT id FROM pairquiz.matches WHERE previous_id = $1) AS next_id
FROM pairquiz.matches AS m LEFT JOIN pairquiz.rematches AS r ON r.match_id = m.id
WHERE m.id = $1 AND m.player2_id IS NOT NULL;

-- name: ask
-- Note that a player asks for a rematch, and return when each of the two has asked, and when this one had before.
-- Both may ask at the same instant at two nodes: the row is locked, and the second one sees the first.
--   $1 uuid the match; $2 smallint who asks, 1 or 2; $3 bigint when; $4 text the other player's id
--   $5 bigint a request that came after this stands as it is, an older one is renewed: that reminds the other
--   $6 bigint an other one's request from before this counts only while that player is connected anywhere
-- (Who has just asked is connected, though that may not be written yet.)
WITH before AS (
    SELECT CASE WHEN $2 = 1 THEN player1_asked_at ELSE player2_asked_at END AS asked_at
    FROM pairquiz.rematches WHERE match_id = $1
)
INSERT INTO pairquiz.rematches AS r (match_id, player1_asked_at, player2_asked_at)
VALUES ($1, CASE WHEN $2::smallint = 1 THEN $3::bigint END, CASE WHEN $2 = 2 THEN $3 END)
ON CONFLICT (match_id) DO UPDATE
SET player1_asked_at = CASE
        WHEN $2 = 1 THEN CASE WHEN r.player1_asked_at > $5 THEN r.player1_asked_at ELSE $3 END
        WHEN r.player1_asked_at >= $6 OR EXISTS (SELECT FROM pairquiz.presence WHERE player_id = $4) THEN r.player1_asked_at
    END,
    player2_asked_at = CASE
        WHEN $2 = 2 THEN CASE WHEN r.player2_asked_at > $5 THEN r.player2_asked_at ELSE $3 END
        WHEN r.player2_asked_at >= $6 OR EXISTS (SELECT FROM pairquiz.presence WHERE player_id = $4) THEN r.player2_asked_at
    END
RETURNING player1_asked_at, player2_asked_at, (SELECT asked_at FROM before) AS earlier_at;

-- name: find_agreed
-- Matches whose players both want a rematch that nobody has made, though the second one asked between $1 and $2 (bigint,
-- milliseconds): whoever had to make it has died. The oldest first, at most $3 (integer).
SELECT match_id FROM pairquiz.rematches AS r
WHERE greatest(player1_asked_at, player2_asked_at) BETWEEN $1 AND $2
    AND player1_asked_at IS NOT NULL AND player2_asked_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM pairquiz.matches AS m WHERE m.previous_id = r.match_id)
ORDER BY greatest(player1_asked_at, player2_asked_at)
LIMIT $3;

-- name: forget
-- Delete requests from before $1 (bigint, milliseconds), the oldest first, at most $2 (integer); returns how many it was.
WITH gone AS (
    DELETE FROM pairquiz.rematches WHERE match_id = ANY (ARRAY (
        SELECT match_id FROM pairquiz.rematches
        WHERE greatest(player1_asked_at, player2_asked_at) < $1
        ORDER BY greatest(player1_asked_at, player2_asked_at)
        LIMIT $2
        FOR UPDATE SKIP LOCKED))
    RETURNING match_id
)
SELECT count(*) FROM gone;
