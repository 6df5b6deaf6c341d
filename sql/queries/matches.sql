-- Used by store/matches.py. In psql, type a query without its semicolon, then: \bind 'VALUE OF $1' 'OF $2' \g

-- name: save
-- Write a batch: each match moves from the version that it was decided on to its new one, and what the moves
-- bring (players, drawn questions, answers, feature usage) is added beside it. Returns the ids that did NOT move,
-- because another node was faster (or because a join code or request id was taken): nothing of theirs is written.
--   $1 uuid  the node, $2 bigint the batch's number: written into the node's row of `batches` by the same statement,
--            so that `resolve` can tell what became of it. Where that number is closed, or the node has no row,
--            nothing is written at all, and a null is returned beside all ids.
--   $3 json  the matches, ordered by id: {id, from_version (0 for a new one), version, whole: true, status, …columns}
--            or, where there were answers alone, {id, from_version, version, player1_score, player2_score}
--   $4 json  the answers; $5 json the players, ordered by id; $6 json the draws; $7 json the feature
--            usage: rows of their tables, each naming its match_id
-- Locks: the node's own row of `batches` (before any match, and no other node takes it), then the rows of `matches`,
-- by id on every node, so that two nodes cannot deadlock over them: a nested loop visits them in the order of $3, or
-- of the primary key (the committer's connection switches other plans off).
-- Players are locked after them, by id too (they are written where it is known what is stuck).
-- Where a pooler does not take those settings, PostgreSQL ends a deadlock, and the loser tries again.
WITH fence AS MATERIALIZED (
    SELECT node_id FROM pairquiz.batches WHERE node_id = $1 AND closed < $2 FOR UPDATE
),
change AS MATERIALIZED (
    SELECT * FROM json_to_recordset($3::json) AS c (
        id uuid, from_version integer, version integer, whole boolean, status pairquiz.match_status, topic_id integer,
        question_count smallint, time_limit_s smallint, points integer, speed_bonus integer,
        join_code text, request_id text, player1_id text, player2_id text,
        player1_score integer, player2_score integer, player1_completed_at bigint, player2_completed_at bigint,
        player1_absent_since bigint, player1_absence_cause pairquiz.absence_cause,
        player1_reconnect_by bigint, player1_away_ms integer,
        player2_absent_since bigint, player2_absence_cause pairquiz.absence_cause,
        player2_reconnect_by bigint, player2_away_ms integer,
        created_at bigint, due_at bigint, joined_at bigint, started_at bigint, deadline_at bigint,
        ended_at bigint, end_reason pairquiz.end_reason, forfeited_by smallint, paused_at bigint, resumed_at bigint,
        pace pairquiz.pace, scoring pairquiz.scoring, origin pairquiz.origin, tick_at bigint, reveals bigint[],
        closes_at bigint, previous_id uuid, player1_wins smallint, player2_wins smallint, ghost_match_id uuid,
        ghost_player smallint, pause_ms integer, player1_rating smallint, player2_rating smallint,
        by_operator boolean)
),
opened AS (
    INSERT INTO pairquiz.matches (
        id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus, join_code, request_id,
        player1_id, player2_id, player1_score, player2_score, player1_completed_at, player2_completed_at,
        player1_absent_since, player1_absence_cause, player1_reconnect_by, player1_away_ms,
        player2_absent_since, player2_absence_cause, player2_reconnect_by, player2_away_ms,
        created_at, due_at, joined_at, started_at, deadline_at, ended_at, end_reason, forfeited_by,
        paused_at, resumed_at, pace, scoring, origin, tick_at, reveals, closes_at, previous_id, player1_wins,
        player2_wins, ghost_match_id, ghost_player, pause_ms, player1_rating, player2_rating,
        by_operator)
    SELECT
        id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus, join_code, request_id,
        player1_id, player2_id, player1_score, player2_score, player1_completed_at, player2_completed_at,
        player1_absent_since, player1_absence_cause, player1_reconnect_by, player1_away_ms,
        player2_absent_since, player2_absence_cause, player2_reconnect_by, player2_away_ms,
        created_at, due_at, joined_at, started_at, deadline_at, ended_at, end_reason, forfeited_by,
        paused_at, resumed_at, pace, scoring, origin, tick_at, reveals, closes_at, previous_id, player1_wins,
        player2_wins, ghost_match_id, ghost_player, pause_ms, player1_rating, player2_rating,
        by_operator
    FROM change WHERE from_version = 0 AND EXISTS (SELECT FROM fence)
    ON CONFLICT DO NOTHING
    RETURNING id
),
moved AS (
    UPDATE pairquiz.matches AS m
    SET version = c.version, player1_score = c.player1_score, player2_score = c.player2_score,
        status = CASE WHEN c.whole THEN c.status ELSE m.status END,
        player2_id = CASE WHEN c.whole THEN c.player2_id ELSE m.player2_id END,
        player1_completed_at = CASE WHEN c.whole THEN c.player1_completed_at ELSE m.player1_completed_at END,
        player2_completed_at = CASE WHEN c.whole THEN c.player2_completed_at ELSE m.player2_completed_at END,
        player1_absent_since = CASE WHEN c.whole THEN c.player1_absent_since ELSE m.player1_absent_since END,
        player1_absence_cause = CASE WHEN c.whole THEN c.player1_absence_cause ELSE m.player1_absence_cause END,
        player1_reconnect_by = CASE WHEN c.whole THEN c.player1_reconnect_by ELSE m.player1_reconnect_by END,
        player1_away_ms = CASE WHEN c.whole THEN c.player1_away_ms ELSE m.player1_away_ms END,
        player2_absent_since = CASE WHEN c.whole THEN c.player2_absent_since ELSE m.player2_absent_since END,
        player2_absence_cause = CASE WHEN c.whole THEN c.player2_absence_cause ELSE m.player2_absence_cause END,
        player2_reconnect_by = CASE WHEN c.whole THEN c.player2_reconnect_by ELSE m.player2_reconnect_by END,
        player2_away_ms = CASE WHEN c.whole THEN c.player2_away_ms ELSE m.player2_away_ms END,
        due_at = CASE WHEN c.whole THEN c.due_at ELSE m.due_at END,
        joined_at = CASE WHEN c.whole THEN c.joined_at ELSE m.joined_at END,
        started_at = CASE WHEN c.whole THEN c.started_at ELSE m.started_at END,
        deadline_at = CASE WHEN c.whole THEN c.deadline_at ELSE m.deadline_at END,
        ended_at = CASE WHEN c.whole THEN c.ended_at ELSE m.ended_at END,
        end_reason = CASE WHEN c.whole THEN c.end_reason ELSE m.end_reason END,
        by_operator = CASE WHEN c.whole THEN c.by_operator ELSE m.by_operator END,
        forfeited_by = CASE WHEN c.whole THEN c.forfeited_by ELSE m.forfeited_by END,
        paused_at = CASE WHEN c.whole THEN c.paused_at ELSE m.paused_at END,
        resumed_at = CASE WHEN c.whole THEN c.resumed_at ELSE m.resumed_at END,
        tick_at = CASE WHEN c.whole THEN c.tick_at ELSE m.tick_at END,
        reveals = CASE WHEN c.whole THEN c.reveals ELSE m.reveals END,
        closes_at = CASE WHEN c.whole THEN c.closes_at ELSE m.closes_at END,
        pause_ms = CASE WHEN c.whole THEN c.pause_ms ELSE m.pause_ms END
    FROM change AS c
    WHERE c.from_version > 0 AND m.id = c.id AND m.version = c.from_version AND EXISTS (SELECT FROM fence)
    RETURNING m.id
),
stuck AS MATERIALIZED (
    SELECT id FROM change WHERE id NOT IN (SELECT id FROM moved UNION ALL SELECT id FROM opened)
),
answered AS (
    INSERT INTO pairquiz.answers (
        match_id, player, ordinal, question_id, chosen, correct, base, bonus, arrived_at, judged_at, lag_credit_ms,
        too_fast)
    SELECT a.match_id, a.player, a.ordinal, a.question_id, a.chosen, a.correct, a.base, a.bonus,
           a.arrived_at, a.judged_at, a.lag_credit_ms, a.too_fast
    FROM json_to_recordset($4::json) AS a (
        match_id uuid, player smallint, ordinal smallint, question_id bigint, chosen smallint, correct boolean,
        base integer, bonus integer, arrived_at bigint, judged_at bigint, lag_credit_ms smallint,
        too_fast boolean)
    WHERE a.match_id NOT IN (SELECT id FROM stuck)
),
known AS (
    INSERT INTO pairquiz.players (id, kind, display_name, label, created_at)
    SELECT DISTINCT ON (p.id) p.id, p.kind, p.display_name, p.label, p.created_at
    FROM json_to_recordset($5::json) AS p (
        id text, kind pairquiz.player_kind, display_name text, label text, created_at bigint, match_id uuid)
    WHERE p.match_id NOT IN (SELECT id FROM stuck)
    ORDER BY p.id, p.label IS NULL, p.created_at
    -- Who has chosen a name before the first match has a row without the label. No other column is a payload's to change.
    ON CONFLICT (id) DO UPDATE SET label = excluded.label WHERE players.label IS NULL AND excluded.label IS NOT NULL
),
drawn AS (
    INSERT INTO pairquiz.draws (match_id, question_ids, option_orders, ghost_run, unrecorded)
    SELECT d.match_id, d.question_ids, d.option_orders, d.ghost_run, d.unrecorded
    FROM json_to_recordset($6::json) AS d (
        match_id uuid, question_ids bigint[], option_orders smallint[], ghost_run jsonb, unrecorded smallint)
    WHERE d.match_id NOT IN (SELECT id FROM stuck)
),
used AS (
    INSERT INTO pairquiz.feature_usage (used_at, player_id, feature, match_id)
    SELECT u.used_at, u.player_id, u.feature, u.match_id
    FROM json_to_recordset($7::json) AS u (
        used_at bigint, player_id text, feature pairquiz.feature, match_id uuid)
    WHERE u.match_id NOT IN (SELECT id FROM stuck)
),
kept AS (
    UPDATE pairquiz.batches
    SET number = $2, closed = $2, stuck = ARRAY (SELECT id FROM stuck), saved_at = now()
    WHERE node_id = $1 AND EXISTS (SELECT FROM fence)
)
SELECT id FROM stuck
UNION ALL
SELECT NULL WHERE NOT EXISTS (SELECT FROM fence);

-- name: save_answers
-- What `save` does, for a batch that holds answers alone, as many do at a moderate rate: the tables that stay as they
-- are, and the columns of matches that answers do not change, cost as much as a few answers. All parts but `change`,
-- `moved` and `stuck` are `save`'s to the letter (a test holds that); its locks and what it returns are the same.
--   $1 uuid  the node; $2 bigint the batch's number
--   $3 json  the matches, ordered by id: {id, from_version, version, player1_score, player2_score}
--   $4 json  the answers
WITH fence AS MATERIALIZED (
    SELECT node_id FROM pairquiz.batches WHERE node_id = $1 AND closed < $2 FOR UPDATE
),
change AS MATERIALIZED (
    SELECT * FROM json_to_recordset($3::json) AS c (
        id uuid, from_version integer, version integer, player1_score integer, player2_score integer)
),
moved AS (
    UPDATE pairquiz.matches AS m
    SET version = c.version, player1_score = c.player1_score, player2_score = c.player2_score
    FROM change AS c
    WHERE m.id = c.id AND m.version = c.from_version AND EXISTS (SELECT FROM fence)
    RETURNING m.id
),
stuck AS MATERIALIZED (
    SELECT id FROM change WHERE id NOT IN (SELECT id FROM moved)
),
answered AS (
    INSERT INTO pairquiz.answers (
        match_id, player, ordinal, question_id, chosen, correct, base, bonus, arrived_at, judged_at, lag_credit_ms,
        too_fast)
    SELECT a.match_id, a.player, a.ordinal, a.question_id, a.chosen, a.correct, a.base, a.bonus,
           a.arrived_at, a.judged_at, a.lag_credit_ms, a.too_fast
    FROM json_to_recordset($4::json) AS a (
        match_id uuid, player smallint, ordinal smallint, question_id bigint, chosen smallint, correct boolean,
        base integer, bonus integer, arrived_at bigint, judged_at bigint, lag_credit_ms smallint,
        too_fast boolean)
    WHERE a.match_id NOT IN (SELECT id FROM stuck)
),
kept AS (
    UPDATE pairquiz.batches
    SET number = $2, closed = $2, stuck = ARRAY (SELECT id FROM stuck), saved_at = now()
    WHERE node_id = $1 AND EXISTS (SELECT FROM fence)
)
SELECT id FROM stuck
UNION ALL
SELECT NULL WHERE NOT EXISTS (SELECT FROM fence);

-- name: resolve
-- What became of a batch whose answer was lost: the ids of its matches that did not move where it is committed, null
-- where it is not. It never will be after this: its number is closed, and a statement that is still under way is
-- waited for (it holds the row). May be asked again. $1 uuid the node, $2 bigint the number of its last batch.
-- Writes in any case, so that only a primary answers, and so that what it saw is on disk when it does. A database
-- that has forgotten the node (a failover) gets its row anew. Locks: the node's own row.
INSERT INTO pairquiz.batches AS b (node_id, number, closed, stuck, saved_at)
VALUES ($1, 0, $2, '{}', now())
ON CONFLICT (node_id) DO UPDATE SET closed = greatest(b.closed, $2), saved_at = now()
RETURNING CASE WHEN number = $2 THEN stuck END AS stuck;

-- name: register
-- Make a node's row, before its first batch. Rows that nobody has written for a week are removed: their nodes are
-- gone (and one that is not gets its row back by `resolve`). $1 uuid the node.
WITH gone AS (
    DELETE FROM pairquiz.batches WHERE node_id = ANY (ARRAY (
        SELECT node_id FROM pairquiz.batches WHERE saved_at < now() - interval '7 days' AND node_id <> $1
        FOR UPDATE SKIP LOCKED))
)
INSERT INTO pairquiz.batches (node_id, number, closed, stuck, saved_at) VALUES ($1, 0, 0, '{}', now())
ON CONFLICT (node_id) DO NOTHING;

-- name: load
-- Whole matches, with what they have drawn (without the questions' texts) and their answers as JSON; a ghost is called
-- as the recorded player is, while the recorded match is there. $1 uuid[].
SELECT
    m.*,
    t.name AS topic,
    p1.kind AS player1_kind, p1.display_name AS player1_name,
    p2.kind AS player2_kind, p2.display_name AS player2_name,
    d.question_ids, d.option_orders, d.ghost_run, d.unrecorded,
    (
        SELECT p.display_name
        FROM pairquiz.matches AS r
        JOIN pairquiz.players AS p ON p.id = CASE m.ghost_player WHEN 1 THEN r.player1_id ELSE r.player2_id END
        WHERE r.id = m.ghost_match_id
    ) AS ghost_name,
    (
        SELECT json_agg(a ORDER BY a.player, a.ordinal) FROM pairquiz.answers AS a WHERE a.match_id = m.id
    ) AS answers
FROM pairquiz.matches AS m
JOIN pairquiz.topics AS t ON t.id = m.topic_id
JOIN pairquiz.players AS p1 ON p1.id = m.player1_id
LEFT JOIN pairquiz.players AS p2 ON p2.id = m.player2_id
LEFT JOIN pairquiz.draws AS d ON d.match_id = m.id
WHERE m.id = ANY ($1);

-- name: find_by_code
-- The match that a join code opens to a player: a waiting one, else one that this player has joined with it
-- (so that a repeated join finds its match). $1 text the code, $2 text the player's id.
SELECT id FROM (
    SELECT id, 0 AS rank, created_at FROM pairquiz.matches WHERE join_code = $1 AND status = 'waiting'
    UNION ALL
    SELECT id, 1, created_at FROM pairquiz.matches
    -- All states but the one in which nobody has joined: the index has them before the code.
    WHERE player2_id = $2 AND join_code = $1
        AND status IN ('ready', 'in_progress', 'completed', 'abandoned', 'expired')
) AS found
ORDER BY rank, created_at DESC
LIMIT 1;

-- name: find_before_creation
-- What a creation must know: the match that the player has created under the request id, null where none, and how many
-- live matches the player has, counted to $3 on each seat. Who looks for an opponent has one more: it may be made at any
-- moment, and asks nobody then. $1 text the player's id, $2 text the request id, $3 integer.
SELECT
    (SELECT id FROM pairquiz.matches WHERE player1_id = $1 AND request_id = $2) AS earlier,
    (
        SELECT count(*) FROM (
            (SELECT 1 FROM pairquiz.matches
             WHERE player1_id = $1 AND status IN ('waiting', 'ready', 'in_progress') LIMIT $3)
            UNION ALL
            (SELECT 1 FROM pairquiz.matches
             WHERE player2_id = $1 AND status IN ('waiting', 'ready', 'in_progress') LIMIT $3)
            UNION ALL
            (SELECT 1 FROM pairquiz.seekers AS s
             WHERE s.player_id = $1 AND NOT EXISTS (SELECT FROM pairquiz.matches AS m WHERE m.id = s.match_id))
        ) AS live
    ) AS live;

-- name: find_live_of
-- All live matches of players, the oldest first. $1 text[] the players.
SELECT player_id, id FROM (
    SELECT player1_id AS player_id, id, created_at FROM pairquiz.matches
    WHERE player1_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress')
    UNION ALL
    SELECT player2_id, id, created_at FROM pairquiz.matches
    WHERE player2_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress')
) AS live
ORDER BY created_at, id;

-- name: find_unheard
-- What players have not heard of: matches that have moved since, over or not, and live ones that they know nothing of.
-- $1 text[] the players; what they know is $2 text[] who knows, $3 uuid[] which match, $4 integer[] in which version.
WITH known AS MATERIALIZED (
    SELECT player_id, id, version FROM unnest($2::text[], $3::uuid[], $4::integer[]) AS k (player_id, id, version)
)
SELECT k.player_id, k.id FROM known AS k JOIN pairquiz.matches AS m ON m.id = k.id WHERE m.version > k.version
UNION ALL
SELECT live.player_id, live.id FROM (
    SELECT player1_id AS player_id, id FROM pairquiz.matches
    WHERE player1_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress')
    UNION ALL
    SELECT player2_id, id FROM pairquiz.matches
    WHERE player2_id = ANY ($1) AND status IN ('waiting', 'ready', 'in_progress')
) AS live
WHERE NOT EXISTS (SELECT FROM known AS k WHERE k.player_id = live.player_id AND k.id = live.id);

-- name: find_due
-- Live matches whose time is over at $1 (bigint), the longest overdue first, at most $2 (integer). A row that is
-- being written just now is skipped: whoever writes it moves it, or it is found by the next sweep.
SELECT id, status FROM pairquiz.matches
WHERE ended_at IS NULL AND due_at <= $1
ORDER BY due_at
LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: find_ticks
-- Live matches in which something happens by itself, since $1 (bigint) at the latest, at most $2 (integer), as above.
SELECT id, status FROM pairquiz.matches
WHERE ended_at IS NULL AND tick_at <= $1
ORDER BY tick_at
LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: next_due
-- When the next live match is due, after $1 (bigint); null where none is.
SELECT min(due_at) FROM pairquiz.matches
WHERE ended_at IS NULL AND due_at > $1;

-- name: next_tick
-- When something next happens in a live match by itself, after $1 (bigint); null where nothing does.
SELECT min(tick_at) FROM pairquiz.matches
WHERE ended_at IS NULL AND tick_at > $1;

-- name: forget_requests
-- Clear the request ids of matches created before $1 (bigint), the oldest first, at most $2 (integer): a request id
-- holds for 24 hours.
UPDATE pairquiz.matches SET request_id = NULL WHERE id = ANY (ARRAY (
    SELECT id FROM pairquiz.matches
    WHERE request_id IS NOT NULL AND created_at < $1
    ORDER BY created_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED));
