-- Used by store/ghosts.py. Recorded runs, and the challenges that lead to them.

-- name: find_runs
-- Recorded runs that a player may meet as a ghost, the most fitting first, at most $8 (integer). They are looked for among
-- the newest 200 matches by the same terms that were played to their end.
--   $1 text the seeker, $2 integer the topic, $3 smallint how many questions, $4 smallint seconds a question,
--   $5 text the pace, $6 text the scoring, $7 double precision the seeker's rating
-- No run of the seeker's own, of somebody who refuses it, or did when it was played, is banned, or is being erased, or of
-- whom either has blocked the other. First come those with no question of the seeker's last matches, then those of players
-- nearest in rating, in steps of 100 points, then the newest.
WITH newest AS MATERIALIZED (
    SELECT id, player1_id, player2_id, ended_at
    FROM pairquiz.matches
    WHERE topic_id = $2 AND question_count = $3 AND time_limit_s = $4 AND pace = $5::text::pairquiz.pace
        AND scoring = $6::text::pairquiz.scoring AND status = 'completed' AND end_reason IN ('all_answered', 'deadline')
    ORDER BY ended_at DESC
    LIMIT 200
),
own AS MATERIALIZED (
    (
        SELECT id FROM pairquiz.matches
        WHERE player1_id = $1 AND started_at IS NOT NULL AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 20
    )
    UNION ALL
    (
        SELECT id FROM pairquiz.matches
        WHERE player2_id = $1 AND started_at IS NOT NULL AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 20
    )
),
known AS MATERIALIZED (
    SELECT coalesce(array_agg(question_id), '{}') AS question_ids
    FROM own
    JOIN pairquiz.draws AS d ON d.match_id = own.id
    CROSS JOIN LATERAL unnest(d.question_ids) AS question_id
)
SELECT n.id, seat.player, coalesce(r.rating, 1500) AS rating
FROM newest AS n
CROSS JOIN LATERAL (VALUES (1::smallint, n.player1_id), (2::smallint, n.player2_id)) AS seat (player, player_id)
JOIN pairquiz.players AS p ON p.id = seat.player_id AND p.id <> $1 AND p.kind IN ('guest', 'user') AND p.record_runs
JOIN pairquiz.draws AS d ON d.match_id = n.id AND coalesce(d.unrecorded, 0) & seat.player = 0
CROSS JOIN known
LEFT JOIN pairquiz.ratings AS r ON r.player_id = p.id AND r.topic_id = $2
WHERE EXISTS (SELECT FROM pairquiz.answers AS a WHERE a.match_id = n.id AND a.player = seat.player)
    AND NOT EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id)
    AND NOT EXISTS (
        SELECT FROM pairquiz.bans AS b WHERE b.player_id = p.id AND (b.until IS NULL OR b.until > now()))
    AND NOT EXISTS (SELECT FROM pairquiz.blocks AS k WHERE k.blocked_id = p.id AND k.player_id = $1)
    AND NOT EXISTS (SELECT FROM pairquiz.blocks AS k WHERE k.blocked_id = $1 AND k.player_id = p.id)
ORDER BY d.question_ids && known.question_ids, floor(abs(coalesce(r.rating, 1500) - $7) / 100), n.ended_at DESC, n.id, seat.player
LIMIT $8;

-- name: challenge
-- Make a run's challenge, unless there is one that still holds, and return it; nothing where its player refuses to be
-- recorded or is being erased. $1 text a code, $2 uuid the recorded match, $3 smallint the player's place (1 or 2),
-- $4 text the player, $5 bigint now, $6 bigint until when (milliseconds; null for ever).
INSERT INTO pairquiz.challenges AS c (code, match_id, player, player_id, created_at, expires_at)
SELECT $1, $2, $3, p.id, $5, $6
FROM pairquiz.players AS p
WHERE p.id = $4 AND p.record_runs AND NOT EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id)
ON CONFLICT (match_id, player) DO UPDATE
SET code = CASE WHEN c.expires_at < $5 THEN excluded.code ELSE c.code END,
    created_at = CASE WHEN c.expires_at < $5 THEN excluded.created_at ELSE c.created_at END,
    expires_at = CASE WHEN c.expires_at < $5 THEN excluded.expires_at ELSE c.expires_at END
RETURNING c.code, c.expires_at;

-- name: find_challenge
-- The run that a challenge leads to, and the match in which a player has accepted it already (null where not). Nothing where
-- it has expired, or its player refuses to be recorded, is banned, or is being erased, or one has blocked the other.
-- $1 text the code, $2 text who accepts, $3 bigint now (milliseconds).
SELECT
    c.match_id, c.player, c.player_id,
    (
        SELECT m.id FROM pairquiz.matches AS m
        WHERE m.player1_id = $2 AND m.ghost_match_id = c.match_id AND m.ghost_player = c.player
            AND m.origin = 'challenge' AND m.status IN ('ready', 'in_progress', 'completed')
    ) AS accepted
FROM pairquiz.challenges AS c
JOIN pairquiz.players AS p ON p.id = c.player_id AND p.record_runs
WHERE c.code = $1 AND (c.expires_at IS NULL OR c.expires_at >= $3)
    AND NOT EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id)
    AND NOT EXISTS (
        SELECT FROM pairquiz.bans AS b WHERE b.player_id = p.id AND (b.until IS NULL OR b.until > now()))
    AND NOT EXISTS (SELECT FROM pairquiz.blocks AS k WHERE k.blocked_id = p.id AND k.player_id = $2)
    AND NOT EXISTS (SELECT FROM pairquiz.blocks AS k WHERE k.blocked_id = $2 AND k.player_id = p.id);
