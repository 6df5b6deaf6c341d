-- Used by store/seekers.py. The queue of those who look for an opponent. Nobody leads: any node may pair whom it finds.
-- Statements that lock several seekers do it in the order of their ids, or skip what is locked.

-- name: enter
-- Players begin to look, or look for something else. The same wishes again leave the entry as it is, but for the node;
-- with other ones the wait begins anew. An entry whose match is being made stays marked: where nothing comes of that, the
-- node that was asked last has to know.
--   $1 uuid the node, $2 bigint now, $3 json the entries, ordered by player_id, without since, rating, deviation,
--   $4 integer how many live matches a player may be in, counted on each seat to this; 0 for any number
-- Returns of each player how many live matches there are, whether the node is known, and the entry as it stands, null
-- where nothing was written; whether a match is being made for it; and that of an earlier entry that is made already,
-- whose players are not taken out yet.
WITH wish AS MATERIALIZED (
    SELECT
        w.*,
        EXISTS (SELECT FROM pairquiz.nodes WHERE id = $1 FOR KEY SHARE) AS known,
        (
            SELECT count(*) FROM (
                (SELECT 1 FROM pairquiz.matches
                 WHERE player1_id = w.player_id AND status IN ('waiting', 'ready', 'in_progress') LIMIT $4)
                UNION ALL
                (SELECT 1 FROM pairquiz.matches
                 WHERE player2_id = w.player_id AND status IN ('waiting', 'ready', 'in_progress') LIMIT $4)
            ) AS live
        ) AS live
    FROM json_to_recordset($3::json) AS w (
        player_id text, ticket uuid, kind pairquiz.player_kind, display_name text, topic_id integer,
        question_count smallint, time_limit_s smallint, pace pairquiz.pace, scoring pairquiz.scoring,
        accept_ghost boolean)
),
entered AS (
    INSERT INTO pairquiz.seekers AS s (
        player_id, node_id, ticket, kind, display_name, topic_id, question_count, time_limit_s, pace, scoring,
        accept_ghost, rating, deviation, since)
    SELECT
        w.player_id, $1, w.ticket, w.kind, w.display_name, w.topic_id, w.question_count, w.time_limit_s, w.pace,
        w.scoring, w.accept_ghost, coalesce(own.rating, every.rating, 1500),
        coalesce(own.deviation, every.deviation, 350), $2
    FROM wish AS w
    LEFT JOIN pairquiz.ratings AS own ON own.player_id = w.player_id AND own.topic_id = w.topic_id
    LEFT JOIN pairquiz.ratings AS every ON every.player_id = w.player_id AND every.topic_id = 0
    WHERE w.known
        AND ($4 = 0 OR w.live < $4 OR EXISTS (SELECT FROM pairquiz.seekers AS o WHERE o.player_id = w.player_id))
    ORDER BY w.player_id
    ON CONFLICT (player_id) DO UPDATE SET (
        node_id, ticket, topic_id, question_count, time_limit_s, pace, scoring, accept_ghost, rating, deviation, since
    ) = (
        SELECT excluded.node_id, s.ticket, s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring,
               s.accept_ghost, s.rating, s.deviation, s.since
        WHERE (s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring, s.accept_ghost)
            = (excluded.topic_id, excluded.question_count, excluded.time_limit_s, excluded.pace, excluded.scoring,
               excluded.accept_ghost)
        UNION ALL
        SELECT excluded.node_id, excluded.ticket, excluded.topic_id, excluded.question_count, excluded.time_limit_s,
               excluded.pace, excluded.scoring, excluded.accept_ghost, excluded.rating, excluded.deviation,
               excluded.since
        LIMIT 1
    )
    RETURNING s.player_id, s.ticket, s.rating, s.deviation, s.since, s.match_id IS NOT NULL AS paired
)
SELECT
    w.player_id, w.known, w.live, e.ticket, e.rating, e.deviation, e.since, coalesce(e.paired, false) AS paired,
    (
        SELECT m.id FROM pairquiz.seekers AS o JOIN pairquiz.matches AS m ON m.id = o.match_id
        WHERE o.player_id = w.player_id
    ) AS made
FROM wish AS w LEFT JOIN entered AS e ON e.player_id = w.player_id;

-- name: cancel
-- A player does not look any more, at whatever node; one whose match is being made stays. Waits for whoever has
-- locked the row, and so decides which was first. $1 text the player. Returns a row where there was an entry.
DELETE FROM pairquiz.seekers WHERE player_id = $1 AND match_id IS NULL RETURNING true;

-- name: leave
-- Players have left a node: their entries go, but for those whose match is being made. $1 uuid the node, $2 text[].
-- Returns whose entry was there and has not gone.
WITH gone AS (
    DELETE FROM pairquiz.seekers WHERE player_id = ANY (ARRAY (
        SELECT player_id FROM pairquiz.seekers
        WHERE player_id = ANY ($2) AND node_id = $1 AND match_id IS NULL
        ORDER BY player_id
        FOR UPDATE)) AND node_id = $1 AND match_id IS NULL
    RETURNING player_id
)
SELECT player_id FROM pairquiz.seekers
WHERE player_id = ANY ($2) AND node_id = $1 AND player_id <> ALL (ARRAY (SELECT player_id FROM gone));

-- name: leave_all
-- A node takes no part any more: its entries go, but for those whose match is being made. $1 uuid the node.
DELETE FROM pairquiz.seekers WHERE player_id = ANY (ARRAY (
    SELECT player_id FROM pairquiz.seekers
    WHERE node_id = $1 AND match_id IS NULL
    ORDER BY player_id
    FOR UPDATE)) AND node_id = $1 AND match_id IS NULL;

-- name: restore
-- Write a node's entries anew as they were, after others took it for dead. $1 uuid the node, $2 json the entries, whole.
INSERT INTO pairquiz.seekers (
    player_id, node_id, ticket, kind, display_name, topic_id, question_count, time_limit_s, pace, scoring,
    accept_ghost, rating, deviation, since)
SELECT
    player_id, $1, ticket, kind, display_name, topic_id, question_count, time_limit_s, pace, scoring,
    accept_ghost, rating, deviation, since
FROM json_to_recordset($2::json) AS w (
    player_id text, ticket uuid, kind pairquiz.player_kind, display_name text, topic_id integer,
    question_count smallint, time_limit_s smallint, pace pairquiz.pace, scoring pairquiz.scoring,
    accept_ghost boolean, rating double precision, deviation double precision, since bigint)
WHERE EXISTS (SELECT FROM pairquiz.nodes WHERE id = $1 FOR KEY SHARE)
ORDER BY player_id
ON CONFLICT (player_id) DO NOTHING;

-- name: read_queue
-- A stretch of the queue as it lies: those behind $1 … $7 (topic_id, question_count, time_limit_s, pace, scoring, rating
-- and player_id of the last one before; null for the first stretch), at most $8 (integer). Each with the last two whom a
-- search has brought, the last one first, and with those of the queue whom the player has blocked. Nobody whose node
-- may be dead, and the player with it. Locks nothing.
SELECT
    s.player_id, s.node_id, s.ticket, s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring, s.rating,
    s.deviation, s.since,
    ARRAY (
        SELECT e.opponent_id FROM pairquiz.encounters AS e WHERE e.player_id = s.player_id ORDER BY e.place) AS met,
    ARRAY (
        SELECT b.blocked_id FROM pairquiz.blocks AS b
        WHERE b.player_id = s.player_id
            AND EXISTS (SELECT FROM pairquiz.seekers AS o WHERE o.player_id = b.blocked_id)) AS blocked
FROM pairquiz.seekers AS s
WHERE s.match_id IS NULL
    AND s.node_id <> ALL (ARRAY (SELECT id FROM pairquiz.silent_nodes))
    AND (s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring, s.rating, s.player_id)
        > ($1, $2, $3, $4::text::pairquiz.pace, $5::text::pairquiz.scoring, $6, $7)
ORDER BY s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring, s.rating, s.player_id
LIMIT $8;

-- name: mark
-- Mark those pairs of which both still look by the same ticket (which is one player's alone), are no other statement's
-- just now, and have not blocked each other meanwhile: each gets its match. Waits for nobody.
--   $1 text[] the first of each pair, $2 uuid[] their tickets, $3 text[] the second, $4 uuid[] their tickets,
--   $5 uuid[] their matches, $6 bigint now
-- Returns the players of the pairs that were marked, as they are called.
WITH pair AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $3::text[], $5::uuid[]) AS p (first_id, second_id, match_id)
),
free AS MATERIALIZED (
    SELECT player_id
    FROM pairquiz.seekers
    WHERE player_id = ANY ($1::text[] || $3::text[]) AND ticket = ANY ($2::uuid[] || $4::uuid[]) AND match_id IS NULL
    ORDER BY player_id
    FOR UPDATE SKIP LOCKED
),
whole AS MATERIALIZED (
    SELECT p.first_id, p.second_id, p.match_id
    FROM pair AS p
    WHERE p.first_id = ANY (ARRAY (SELECT player_id FROM free))
        AND p.second_id = ANY (ARRAY (SELECT player_id FROM free))
        AND NOT EXISTS (
            SELECT FROM pairquiz.blocks AS b WHERE b.player_id = p.first_id AND b.blocked_id = p.second_id)
        AND NOT EXISTS (
            SELECT FROM pairquiz.blocks AS b WHERE b.player_id = p.second_id AND b.blocked_id = p.first_id)
),
seat AS (
    SELECT first_id AS player_id, match_id FROM whole
    UNION ALL
    SELECT second_id, match_id FROM whole
),
marked AS (
    UPDATE pairquiz.seekers AS s SET match_id = seat.match_id, paired_at = $6
    FROM seat WHERE s.player_id = seat.player_id
    RETURNING s.player_id, s.match_id, s.kind, s.display_name
)
SELECT m.player_id, m.match_id, m.kind, coalesce(p.display_name, m.display_name) AS display_name
FROM marked AS m LEFT JOIN pairquiz.players AS p ON p.id = m.player_id;

-- name: claim
-- Take one player out of the queue for a match with nobody of it, as `mark` takes two.
--   $1 text the player, $2 uuid the ticket, $3 uuid the match, $4 bigint now. Returns the player, as called, if it did.
WITH free AS MATERIALIZED (
    SELECT player_id FROM pairquiz.seekers
    WHERE player_id = $1 AND ticket = $2 AND match_id IS NULL
    FOR UPDATE SKIP LOCKED
),
marked AS (
    UPDATE pairquiz.seekers AS s SET match_id = $3, paired_at = $4
    FROM free WHERE s.player_id = free.player_id
    RETURNING s.player_id, s.match_id, s.kind, s.display_name
)
SELECT m.player_id, m.match_id, m.kind, coalesce(p.display_name, m.display_name) AS display_name
FROM marked AS m LEFT JOIN pairquiz.players AS p ON p.id = m.player_id;

-- name: finish
-- These matches are made: their players look no more, and have met. $1 uuid[] the matches. May be repeated.
WITH gone AS (
    DELETE FROM pairquiz.seekers WHERE player_id = ANY (ARRAY (
        SELECT player_id FROM pairquiz.seekers WHERE match_id = ANY ($1) ORDER BY player_id FOR UPDATE))
    RETURNING player_id, match_id
),
met AS MATERIALIZED (
    SELECT g.player_id, CASE WHEN m.player1_id = g.player_id THEN m.player2_id ELSE m.player1_id END AS opponent_id
    FROM gone AS g JOIN pairquiz.matches AS m ON m.id = g.match_id
    WHERE m.origin = 'search' AND g.player_id IN (m.player1_id, m.player2_id)
),
before AS (
    INSERT INTO pairquiz.encounters (player_id, place, opponent_id)
    SELECT e.player_id, 2, e.opponent_id
    FROM met JOIN pairquiz.encounters AS e ON e.player_id = met.player_id AND e.place = 1
    ORDER BY e.player_id
    ON CONFLICT (player_id, place) DO UPDATE SET opponent_id = excluded.opponent_id
)
INSERT INTO pairquiz.encounters (player_id, place, opponent_id)
SELECT player_id, 1, opponent_id FROM met ORDER BY player_id
ON CONFLICT (player_id, place) DO UPDATE SET opponent_id = excluded.opponent_id;

-- name: release
-- These matches are not made: their players at a node look on, but for those who went or cancelled meanwhile, who had to
-- stay until now. Those of other nodes are released by these. $1 uuid[] the matches, $2 uuid the node, $3 text[] who looks
-- there.
WITH mine AS MATERIALIZED (
    SELECT player_id FROM pairquiz.seekers WHERE match_id = ANY ($1) AND node_id = $2 ORDER BY player_id FOR UPDATE
),
gone AS (
    DELETE FROM pairquiz.seekers WHERE player_id = ANY (ARRAY (SELECT player_id FROM mine)) AND player_id <> ALL ($3)
)
UPDATE pairquiz.seekers SET match_id = NULL, paired_at = NULL
WHERE player_id = ANY (ARRAY (SELECT player_id FROM mine)) AND player_id = ANY ($3);

-- name: find_standing
-- Which of these matches are made, or have all their players marked for them still. $1 uuid[] the matches, $2 integer[]
-- how many players of the queue each is for.
SELECT w.match_id
FROM unnest($1::uuid[], $2::integer[]) AS w (match_id, players)
WHERE EXISTS (SELECT FROM pairquiz.matches AS m WHERE m.id = w.match_id)
    OR (SELECT count(*) FROM pairquiz.seekers AS s WHERE s.match_id = w.match_id) = w.players;

-- name: find_unfinished
-- All entries of the matches that were to be made for a node's players by somebody who has said nothing since $2
-- (bigint), and whether each was made. $1 uuid the node.
SELECT
    s.match_id, EXISTS (SELECT FROM pairquiz.matches AS m WHERE m.id = s.match_id) AS made, t.name AS topic,
    s.player_id, s.node_id, s.ticket, s.topic_id, s.question_count, s.time_limit_s, s.pace, s.scoring, s.rating,
    s.deviation, s.since, s.kind, coalesce(p.display_name, s.display_name) AS display_name
FROM pairquiz.seekers AS s
JOIN pairquiz.topics AS t ON t.id = s.topic_id
LEFT JOIN pairquiz.players AS p ON p.id = s.player_id
WHERE s.match_id IN (
    SELECT o.match_id FROM pairquiz.seekers AS o
    WHERE o.node_id = $1 AND o.match_id IS NOT NULL AND o.paired_at < $2)
ORDER BY s.since, s.player_id;

-- name: look
-- A node's entries, and how many look for the same at nodes that live. $1 uuid the node. Reads the whole queue.
SELECT player_id, ticket, match_id IS NOT NULL AS paired, seeking
FROM (
    SELECT
        player_id, node_id, ticket, match_id,
        count(*) FILTER (
            WHERE match_id IS NULL AND node_id <> ALL (ARRAY (SELECT id FROM pairquiz.silent_nodes)))
            OVER (PARTITION BY topic_id, question_count, time_limit_s, pace, scoring) AS seeking
    FROM pairquiz.seekers
) AS queue
WHERE node_id = $1;
