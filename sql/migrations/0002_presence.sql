-- Who is connected, for how long a player may be away, and the clock that all nodes share.

ALTER TYPE pairquiz.end_reason ADD VALUE 'player_absent';   -- a player was away for too long (`forfeited_by`)
ALTER TYPE pairquiz.end_reason ADD VALUE 'both_absent';     -- in_progress -> abandoned: both were

CREATE TYPE pairquiz.absence_cause AS ENUM (
    'connection_lost', -- the line broke without a word
    'closed',          -- the page or the app closed the connection
    'node_lost'        -- the server's own fault: takes nothing from the budget, and has the whole grace
);

ALTER TABLE pairquiz.matches
    ADD COLUMN player1_absent_since bigint,
    ADD COLUMN player1_absence_cause pairquiz.absence_cause,
    ADD COLUMN player1_reconnect_by bigint,
    ADD COLUMN player1_away_ms integer NOT NULL DEFAULT 0,
    ADD COLUMN player2_absent_since bigint,
    ADD COLUMN player2_absence_cause pairquiz.absence_cause,
    ADD COLUMN player2_reconnect_by bigint,
    ADD COLUMN player2_away_ms integer NOT NULL DEFAULT 0,
    ADD COLUMN paused_at bigint,
    ADD COLUMN resumed_at bigint,
    ADD CHECK ((player1_absent_since IS NULL) = (player1_absence_cause IS NULL)),
    ADD CHECK ((player2_absent_since IS NULL) = (player2_absence_cause IS NULL));
COMMENT ON COLUMN pairquiz.matches.player1_absent_since  IS 'Since when player 1 is connected nowhere; null while connected.';
COMMENT ON COLUMN pairquiz.matches.player1_absence_cause IS 'How player 1''s last connection went.';
COMMENT ON COLUMN pairquiz.matches.player1_reconnect_by  IS 'Until when player 1 may come back; null while the match is not running.';
COMMENT ON COLUMN pairquiz.matches.player1_away_ms       IS 'What player 1''s earlier absences took from the budget.';
COMMENT ON COLUMN pairquiz.matches.player2_absent_since  IS 'Since when player 2 is connected nowhere; null while connected.';
COMMENT ON COLUMN pairquiz.matches.player2_absence_cause IS 'How player 2''s last connection went.';
COMMENT ON COLUMN pairquiz.matches.player2_reconnect_by  IS 'Until when player 2 may come back; null while the match is not running.';
COMMENT ON COLUMN pairquiz.matches.player2_away_ms       IS 'What player 2''s earlier absences took from the budget.';
COMMENT ON COLUMN pairquiz.matches.paused_at             IS 'When the last outage of the service began: from then on the match''s clock stood still.';
COMMENT ON COLUMN pairquiz.matches.resumed_at            IS 'When that outage ended, and the clock went on.';
COMMENT ON COLUMN pairquiz.matches.due_at                IS 'When the sweeper has to look at a live match: the end of the wait, of the readiness, of a grace, or the deadline.';
COMMENT ON COLUMN pairquiz.matches.forfeited_by          IS 'The player (1 or 2) who gave up, or stayed away.';
COMMENT ON TABLE  pairquiz.matches                       IS 'Matches between two players; `id` is the session_id of the wire. Changed by the committer''s one statement, and, when the service comes back after an outage, by the beat that moves all clocks.';
COMMENT ON TYPE   pairquiz.match_status                  IS 'Beside the moves noted at its values: in_progress -> abandoned, when both players were away for too long.';


CREATE TABLE pairquiz.heartbeat (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    game_at   bigint NOT NULL,
    beaten_at bigint NOT NULL
);
COMMENT ON TABLE  pairquiz.heartbeat           IS 'One row: the last sign of life of the service, whichever node gave it.';
COMMENT ON COLUMN pairquiz.heartbeat.single    IS 'Keeps the table at one row.';
COMMENT ON COLUMN pairquiz.heartbeat.game_at   IS 'The game''s clock at that moment. It never goes back.';
COMMENT ON COLUMN pairquiz.heartbeat.beaten_at IS 'The database''s clock at that moment: what lies between the two is the offset that a node adopts when it starts.';

CREATE TABLE pairquiz.nodes (
    id         uuid PRIMARY KEY,
    started_at bigint NOT NULL,
    beaten_at  bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE  pairquiz.nodes            IS 'The processes that serve this database. One that has not beaten for some seconds is taken as dead, and removed with all that it said.';
COMMENT ON COLUMN pairquiz.nodes.id         IS 'Made anew at each start.';
COMMENT ON COLUMN pairquiz.nodes.started_at IS 'When it started (the game''s clock).';
COMMENT ON COLUMN pairquiz.nodes.beaten_at  IS 'Its last sign of life (the game''s clock).';

CREATE TABLE pairquiz.presence (
    player_id text NOT NULL,
    node_id   uuid NOT NULL REFERENCES pairquiz.nodes ON DELETE CASCADE,
    came_at   bigint NOT NULL,
    PRIMARY KEY (player_id, node_id)
);
COMMENT ON TABLE  pairquiz.presence           IS 'Who has at least one connection to which node.';
COMMENT ON COLUMN pairquiz.presence.player_id IS 'The player; no foreign key, because a guest becomes a row of `players` with the first match.';
COMMENT ON COLUMN pairquiz.presence.node_id   IS 'The node; what it said goes with it.';
COMMENT ON COLUMN pairquiz.presence.came_at   IS 'When the first of these connections came (the game''s clock).';
CREATE INDEX presence_node ON pairquiz.presence (node_id);
