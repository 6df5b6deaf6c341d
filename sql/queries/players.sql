-- Used by store/players.py. People: what they are called, and all that is stored about one of them.

-- name: meet
-- The profiles of players who come, where anything is stored; the day of it is noted, once a day. A row that somebody
-- writes just now is left alone: two nodes that note the same players would else wait for each other.
-- $1 text[] the players' ids, $2 bigint now (milliseconds).
WITH unseen AS (
    SELECT id FROM pairquiz.players
    WHERE id = ANY ($1) AND coalesce(seen_at, created_at) < $2 - 24 * 3600 * 1000::bigint
    FOR NO KEY UPDATE SKIP LOCKED
), seen AS (
    UPDATE pairquiz.players SET seen_at = $2 WHERE id = ANY (ARRAY (SELECT id FROM unseen))
)
SELECT id, display_name, created_at, record_runs FROM pairquiz.players WHERE id = ANY ($1);

-- name: change
-- Give a player another name, or say whether runs may be recorded; null keeps what stands. Who has played nothing yet
-- becomes a row by it, called $6 (text). Nobody who is about to be erased does. Who refuses takes all challenges back;
-- whoever allows it again has `keep_unrecorded` asked before.
-- $1 text the player's id, $2 text the kind, $3 text the name, $4 bigint now (milliseconds), $5 boolean.
WITH refused AS (
    DELETE FROM pairquiz.challenges WHERE player_id = $1 AND NOT $5::boolean
)
INSERT INTO pairquiz.players AS p (id, kind, display_name, created_at, record_runs, refused_at)
SELECT
    $1::text, $2::text::pairquiz.player_kind, coalesce($3::text, $6::text), $4::bigint, coalesce($5::boolean, true),
    CASE WHEN NOT $5 THEN $4 END
WHERE NOT EXISTS (SELECT FROM pairquiz.erasures WHERE player_id = $1)
ON CONFLICT (id) DO UPDATE
SET display_name = coalesce($3, p.display_name), record_runs = coalesce($5, p.record_runs),
    refused_at = CASE WHEN $5 THEN NULL WHEN NOT $5 THEN coalesce(p.refused_at, $4) ELSE p.refused_at END
RETURNING p.display_name, p.created_at, p.record_runs;

-- name: keep_unrecorded
-- Let nobody ever replay what a player has played, in part at least, since refusing to be recorded; nothing where the
-- player does not refuse. A challenge that was made in the same moment as the refusal, which saw none, goes now.
-- May be repeated. $1 text the player's id.
-- Locks draws in the order of their matches' ids: two who have met often may allow it at the same moment.
WITH refusing AS MATERIALIZED (
    -- Who has refused at a server of an older version: since when, it has not noted.
    SELECT coalesce(refused_at, 0) AS refused_at FROM pairquiz.players WHERE id = $1 AND NOT record_runs
),
crossed AS (
    DELETE FROM pairquiz.challenges WHERE player_id = $1 AND EXISTS (SELECT FROM refusing)
),
played AS (
    SELECT id, 1 AS player FROM pairquiz.matches
    WHERE player1_id = $1 AND started_at IS NOT NULL AND ended_at IS NOT NULL
        AND ended_at > (SELECT refused_at FROM refusing)
    UNION ALL
    SELECT id, 2 FROM pairquiz.matches
    WHERE player2_id = $1 AND started_at IS NOT NULL AND ended_at IS NOT NULL
        AND ended_at > (SELECT refused_at FROM refusing)
    UNION ALL
    SELECT id, 1 FROM pairquiz.matches
    WHERE player1_id = $1 AND status = 'in_progress' AND EXISTS (SELECT FROM refusing)
    UNION ALL
    SELECT id, 2 FROM pairquiz.matches
    WHERE player2_id = $1 AND status = 'in_progress' AND EXISTS (SELECT FROM refusing)
),
locked AS MATERIALIZED (
    SELECT d.match_id, played.player
    FROM played JOIN pairquiz.draws AS d ON d.match_id = played.id
    ORDER BY d.match_id
    FOR NO KEY UPDATE OF d
)
UPDATE pairquiz.draws AS d SET unrecorded = coalesce(d.unrecorded, 0) | locked.player
FROM locked WHERE d.match_id = locked.match_id;

-- name: find
-- Players whose id, label or name (in any case) is $1 (text), or whose ban has this id; at most $2 (integer). Reads all
-- players: for an operator, and not for players. $3 bytea the digest of $1, by which a ban of somebody erased is found.
SELECT
    coalesce(p.id, b.player_id) AS id, p.kind::text AS kind, p.display_name, p.label, p.created_at, p.seen_at,
    b.digest IS NOT NULL AND (b.until IS NULL OR b.until > now()) AS banned,
    b.reason, (extract(epoch FROM b.until) * 1000)::bigint AS banned_until,
    EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id) AS erasing
FROM pairquiz.players AS p
FULL JOIN pairquiz.bans AS b ON b.player_id = p.id
WHERE (p.id = $1 OR p.label = $1 OR lower(p.display_name) = lower($1) OR b.digest = $3)
    AND (p.kind IN ('guest', 'user') OR p.kind IS NULL)
ORDER BY p.created_at DESC, id
LIMIT $2;

-- name: export
-- What is stored about a player, but for matches, as one JSON object. $1 text the player's id, $2 bytea its digest.
SELECT json_build_object(
    'player', (SELECT to_jsonb(p) FROM pairquiz.players AS p WHERE id = $1),
    'presence', (
        SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM pairquiz.presence AS p WHERE player_id = $1),
    'seekers', (
        SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM pairquiz.seekers AS s WHERE player_id = $1),
    'encounters', (
        SELECT coalesce(jsonb_agg(
            to_jsonb(e) - 'opponent_id' || jsonb_build_object('opponent_name', o.display_name) ORDER BY e.place), '[]')
        FROM pairquiz.encounters AS e JOIN pairquiz.players AS o ON o.id = e.opponent_id WHERE e.player_id = $1),
    'blocks', (
        SELECT coalesce(jsonb_agg(
            to_jsonb(b) - 'blocked_id' || jsonb_build_object('blocked_name', o.display_name) ORDER BY b.blocked_at), '[]')
        FROM pairquiz.blocks AS b JOIN pairquiz.players AS o ON o.id = b.blocked_id WHERE b.player_id = $1),
    'bans', (
        SELECT coalesce(jsonb_agg(to_jsonb(b) - 'written'), '[]') FROM pairquiz.bans AS b WHERE digest = $2),
    'erasures', (
        SELECT coalesce(jsonb_agg(to_jsonb(e)), '[]') FROM pairquiz.erasures AS e WHERE player_id = $1),
    'audit', (
        SELECT coalesce(jsonb_agg(to_jsonb(a) - 'id' - 'actor' - 'via' - 'node_id' ORDER BY id), '[]')
        FROM pairquiz.audit AS a WHERE subject = $1),
    'challenges', (
        SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM pairquiz.challenges AS c WHERE player_id = $1),
    'ratings', (
        SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY topic_id), '[]') FROM pairquiz.ratings AS r WHERE player_id = $1),
    'week_points', (
        SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY week, topic_id), '[]')
        FROM pairquiz.week_points AS w WHERE player_id = $1),
    'reports', (
        SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('text', q.text) ORDER BY r.reported_at), '[]')
        FROM pairquiz.reports AS r JOIN pairquiz.questions AS q ON q.id = r.question_id WHERE r.player_id = $1)
)::text;

-- name: export_match_ids
-- The matches of a player, ordered by id. $1 text the player's id.
SELECT id FROM pairquiz.matches WHERE player1_id = $1
UNION ALL
SELECT id FROM pairquiz.matches WHERE player2_id = $1
ORDER BY id;

-- name: export_matches
-- Some of a player's matches, ordered by id, each as JSON: its row as the player's own (`your_…`; of the other seat no more than results
-- show), the drawn questions with their texts, the answers, and the result. $1 text the player's id, $2 uuid[] the matches.
SELECT (
    (
        SELECT jsonb_object_agg(regexp_replace(key, '^player[12]_', 'your_'), value)
        FROM jsonb_each(to_jsonb(m))
        WHERE key NOT LIKE CASE WHEN m.player1_id = $1 THEN 'player2\_%' ELSE 'player1\_%' END
            AND (key <> 'request_id' OR m.player1_id = $1)
            AND key NOT LIKE 'ghost\_%'  -- where somebody else was recorded; that it is a ghost, `origin` says
    ) || jsonb_build_object(
        'topic', t.name,
        'your_seat', seat.number,
        'opponent_score', CASE WHEN seat.number = 1 THEN m.player2_score ELSE m.player1_score END,
        'opponent_name', coalesce((
            SELECT p.display_name
            FROM pairquiz.matches AS r
            JOIN pairquiz.players AS p ON p.id = CASE m.ghost_player WHEN 1 THEN r.player1_id ELSE r.player2_id END
            WHERE r.id = m.ghost_match_id
        ), (
            SELECT display_name FROM pairquiz.players
            WHERE id = CASE WHEN seat.number = 1 THEN m.player2_id ELSE m.player1_id END)),
        'questions', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'position', place - 1, 'question_id', q.id, 'text', q.text,
                'option_order', to_jsonb(d.option_orders) -> (place - 1)::integer) ORDER BY place), '[]')
            FROM pairquiz.draws AS d
            CROSS JOIN LATERAL unnest(d.question_ids) WITH ORDINALITY AS drawn (question_id, place)
            JOIN pairquiz.questions AS q ON q.id = drawn.question_id
            -- In rounds, what was not opened yet is nobody's to see.
            WHERE d.match_id = m.id AND (m.pace = 'free' OR place <= cardinality(m.reveals))),
        'your_run_unrecorded', (
            SELECT coalesce(d.unrecorded, 0) & seat.number <> 0 FROM pairquiz.draws AS d WHERE d.match_id = m.id),
        'your_rematch_asked_at', (
            SELECT CASE WHEN seat.number = 1 THEN player1_asked_at ELSE player2_asked_at END
            FROM pairquiz.rematches WHERE match_id = m.id),
        'answers', (
            SELECT coalesce(jsonb_agg(to_jsonb(a) - 'match_id' - 'player' ORDER BY ordinal), '[]')
            FROM pairquiz.answers AS a WHERE a.match_id = m.id AND a.player = seat.number),
        'result', (
            SELECT to_jsonb(r) - 'match_id' - 'player' - 'opponent_id' - 'ghost_match_id'
            FROM pairquiz.results AS r WHERE r.match_id = m.id AND r.player = seat.number)
    )
)::text AS match
FROM pairquiz.matches AS m
JOIN pairquiz.topics AS t ON t.id = m.topic_id
CROSS JOIN LATERAL (SELECT CASE WHEN m.player1_id = $1 THEN 1 ELSE 2 END) AS seat (number)
-- Whether it is still theirs is asked so that no index on players may look like the shorter way.
WHERE m.id = ANY ($2) AND CASE WHEN m.player1_id = $1 THEN true ELSE m.player2_id = $1 END
ORDER BY m.id;

-- name: export_usage
-- A page of a player's feature usage, ordered by its number, each as JSON.
-- $1 text the player's id, $2 bigint the last one of the page before (0 for the first), $3 integer how many.
SELECT id, to_jsonb(u)::text AS usage FROM pairquiz.feature_usage AS u
WHERE player_id = $1 AND id > $2
ORDER BY id
LIMIT $3;
