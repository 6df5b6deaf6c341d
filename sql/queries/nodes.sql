-- Used by store/nodes.py. The processes that serve this database, and the clock that they share.

-- name: read_clock
-- The last sign of life of the service (the game's clock, and the database's at that moment), and the database's
-- clock now; the first two are null where no node has ever run. All in milliseconds since the epoch.
SELECT
    h.game_at,
    h.beaten_at,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS database_at
FROM (VALUES (true)) AS one LEFT JOIN pairquiz.heartbeat AS h ON h.single;

-- name: alone
-- Whether nobody has had a session of this database for longer than this one: a node that runs has several. A session
-- whose owner we may not look at is somebody's. $1 bigint how long ago (milliseconds) this session may have begun: one
-- that is older, a pooler has kept for us, and all sessions of a node that runs may be younger.
SELECT NOT EXISTS (
    SELECT
    FROM pg_stat_activity AS own LEFT JOIN pg_stat_activity AS other
        ON other.datid = own.datid AND other.pid <> own.pid
        AND coalesce(other.backend_type = 'client backend', true)
        AND coalesce(other.backend_start <= own.backend_start, true)
    WHERE own.pid = pg_backend_pid()
        AND (other.pid IS NOT NULL
            OR coalesce(own.backend_start < clock_timestamp() - $1 * interval '1 millisecond', true))
);

-- name: enter
-- Note that a node serves. $1 uuid the node, $2 bigint the game's clock.
INSERT INTO pairquiz.nodes (id, started_at, beaten_at) VALUES ($1, $2, $2)
ON CONFLICT (id) DO UPDATE SET beaten_at = excluded.beaten_at;

-- name: open_clock
-- Make the row of the service's heartbeat, where no node has ever run. $1 bigint the game's clock.
INSERT INTO pairquiz.heartbeat (game_at, beaten_at)
VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (single) DO NOTHING;

-- name: beat
-- A sign of life. If there was none for longer than an outage may be overlooked, the clocks of all live matches are
-- moved by the gap, absences begin anew with what they had been allowed, and no node is blamed for its silence.
-- Whichever node is first does it, once: the heartbeat's row is locked, and shows the others no gap any more.
--   $1 uuid    the node
--   $2 bigint  its clock
--   $3 bigint  the longest gap (milliseconds) that is no outage
--   $4 bigint  what the database's clock should show, as the node remembers it; null where it does not
--   $5 boolean whether this session is the node's own: then its end tells the others that the node is gone
-- A statement that is carried out more than a second after that was held up, by a frozen database, and its node has
-- given it up: it is no sign of life, or it would take that second from the players. (So it is where the database's
-- clock was just set; the node then remembers the new one.)
-- Returns the game's clock (never less than at the last beat and what the database says has passed since, unless the
-- database's clock was set: beats come twice a second, so that more than 700 ms are a step. A node whose clock is behind
-- adopts it, and so all nodes agree), the gap that was
-- credited (0 if none was), whether the node still counts as alive, whether it is the only one that does (a node that has
-- just died counts for some seconds more), and the matches that were moved, as JSON.
-- Locks: the heartbeat's row first, then live matches in the order of their ids, as `save` does.
WITH row AS MATERIALIZED (
    SELECT game_at, beaten_at FROM pairquiz.heartbeat FOR UPDATE
),
read AS MATERIALIZED (
    SELECT game_at, beaten_at, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS database_at FROM row
),
last AS MATERIALIZED (
    SELECT
        greatest(game_at, $2, CASE WHEN database_at - beaten_at BETWEEN 0 AND 700 THEN game_at + database_at - beaten_at END)
            AS now,
        CASE WHEN $2 - game_at > $3 THEN $2 - game_at ELSE 0 END AS gap,
        database_at
    FROM read
    WHERE $4::bigint IS NULL OR database_at - $4 <= 1000
),
noted AS (
    UPDATE pairquiz.heartbeat SET game_at = last.now, beaten_at = last.database_at FROM last
),
alive AS (
    UPDATE pairquiz.nodes AS n
    SET beaten_at = last.now,
        session_pid = CASE WHEN n.id <> $1 THEN n.session_pid WHEN $5 THEN pg_backend_pid() END
    FROM last
    WHERE n.id = $1 OR last.gap > 0
    RETURNING n.id
),
live AS MATERIALIZED (
    SELECT id
    FROM pairquiz.matches
    WHERE ended_at IS NULL AND (SELECT gap FROM last) > 0
    ORDER BY id
    FOR UPDATE
),
moved AS (
    UPDATE pairquiz.matches AS m
    SET version = m.version + 1,
        deadline_at = m.deadline_at + last.gap,
        tick_at = m.tick_at + last.gap,
        closes_at = m.closes_at + last.gap,
        -- Of a round that is closed nothing moves any more.
        reveals = CASE
            WHEN m.closes_at IS NOT NULL
            THEN m.reveals[:cardinality(m.reveals) - 1] || m.reveals[cardinality(m.reveals)] + last.gap
            ELSE m.reveals
        END,
        player1_absent_since = CASE WHEN m.player1_absent_since IS NOT NULL THEN last.now END,
        player1_reconnect_by = last.now + (m.player1_reconnect_by - m.player1_absent_since),
        player2_absent_since = CASE WHEN m.player2_absent_since IS NOT NULL THEN last.now END,
        player2_reconnect_by = last.now + (m.player2_reconnect_by - m.player2_absent_since),
        paused_at = last.now - last.gap,
        resumed_at = last.now,
        due_at = CASE
            WHEN m.status <> 'in_progress' THEN m.due_at + last.gap
            -- The end of the round that is open, or is opened next; or both stay away: Match.forsaken_at.
            WHEN m.pace = 'rounds' THEN least(
                coalesce(m.closes_at, m.tick_at + m.time_limit_s * 1000) + last.gap,
                CASE WHEN m.player1_reconnect_by IS NOT NULL AND m.player2_reconnect_by IS NOT NULL
                THEN last.now + greatest(
                    m.player1_reconnect_by - m.player1_absent_since,
                    m.player2_reconnect_by - m.player2_absent_since)
                END)
            -- Of two absences the later one decides, of one that one, of none the deadline: Match.running_due_at.
            ELSE least(
                m.deadline_at + last.gap,
                last.now + greatest(
                    m.player1_reconnect_by - m.player1_absent_since,
                    m.player2_reconnect_by - m.player2_absent_since))
        END
    FROM live, last
    -- That they are live says nothing new of rows that are locked, but leads to them by the index of live matches.
    WHERE m.id = live.id AND m.ended_at IS NULL
    RETURNING m.id, m.version, m.deadline_at, m.player1_id, m.player2_id, m.player1_reconnect_by, m.player2_reconnect_by,
        m.reveals, m.closes_at, m.tick_at
)
SELECT
    coalesce(last.now, read.game_at) AS now,
    coalesce(last.gap, 0) AS gap,
    EXISTS (SELECT FROM pairquiz.nodes WHERE id = $1) AS alive,
    NOT EXISTS (SELECT FROM pairquiz.nodes WHERE id <> $1) AS alone,
    (SELECT json_agg(moved) FROM moved) AS moved,
    read.database_at,
    last.now IS NULL AS late
FROM read LEFT JOIN last ON true;

-- name: bury
-- Remove the nodes that were silent for $1 (bigint, milliseconds) while the service lived, and return the players who
-- were connected to them, with when each of them came.
WITH dead AS (
    DELETE FROM pairquiz.nodes WHERE beaten_at < (SELECT game_at FROM pairquiz.heartbeat) - $1 RETURNING id
)
SELECT p.player_id, min(p.came_at) AS came_at
FROM pairquiz.presence AS p JOIN dead ON dead.id = p.node_id
GROUP BY p.player_id;

-- name: alive
-- Whether a server runs: the service has given a sign of life within $1 (bigint, milliseconds).
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint - beaten_at < $1 FROM pairquiz.heartbeat;
