-- Recorded runs: they play the second seat of other matches, as ghosts, and are what challenge links lead to.

ALTER TYPE pairquiz.player_kind ADD VALUE 'ghost';    -- the one stand-in for all recorded runs: nobody's identity

ALTER TABLE pairquiz.players ADD COLUMN record_runs boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN pairquiz.players.record_runs IS 'Whether the player''s runs may be replayed, as ghosts and by challenge links. By false all challenges are taken back.';
COMMENT ON TABLE  pairquiz.players             IS 'Everybody who has created or joined a match, or chosen a name; one stand-in for those who were erased, and one for ghosts.';
COMMENT ON COLUMN pairquiz.matches.player2_id  IS 'Who joined; null while waiting. Of a ghost it is the stand-in: the recorded player does not play.';

-- With the steps a ghost needs the recorded match no more, which may be forgotten while it plays.
ALTER TABLE pairquiz.draws ADD COLUMN ghost_run jsonb;
COMMENT ON COLUMN pairquiz.draws.ghost_run IS 'What the ghost does, copied from the recorded match at the start: steps [{question_id, chosen, after_ms}], and completed_after_ms where the player was done by saying so; null where a person plays.';

-- Where a ghost is looked for: among the newest whole runs by the same terms.
CREATE INDEX matches_runs ON pairquiz.matches (topic_id, question_count, time_limit_s, pace, scoring, ended_at)
    WHERE status = 'completed' AND end_reason IN ('all_answered', 'deadline');
-- A challenge is accepted once by a player, at whichever node: the questions are known afterwards.
CREATE UNIQUE INDEX matches_challenged ON pairquiz.matches (player1_id, ghost_match_id, ghost_player)
    WHERE origin = 'challenge' AND status IN ('ready', 'in_progress', 'completed');
CREATE INDEX bans_player ON pairquiz.bans (player_id) WHERE player_id IS NOT NULL;


CREATE TABLE pairquiz.challenges (
    code       text PRIMARY KEY,
    match_id   uuid NOT NULL REFERENCES pairquiz.matches ON DELETE CASCADE,
    player     smallint NOT NULL CHECK (player IN (1, 2)),
    player_id  text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    created_at bigint NOT NULL,
    expires_at bigint,
    UNIQUE (match_id, player)
);
COMMENT ON TABLE  pairquiz.challenges            IS 'Links to recorded runs ("beat my 480"): whoever has the code plays against the run. A run has one at most.';
COMMENT ON COLUMN pairquiz.challenges.code       IS 'Twelve characters of Crockford''s base 32: 60 bits by chance.';
COMMENT ON COLUMN pairquiz.challenges.match_id   IS 'The match in which the run was recorded.';
COMMENT ON COLUMN pairquiz.challenges.player     IS 'Whose run it is there: player 1 or 2.';
COMMENT ON COLUMN pairquiz.challenges.player_id  IS 'That player.';
COMMENT ON COLUMN pairquiz.challenges.created_at IS 'When the code was made.';
COMMENT ON COLUMN pairquiz.challenges.expires_at IS 'Until when it may be accepted; null for ever.';
CREATE INDEX challenges_player ON pairquiz.challenges (player_id);
CREATE INDEX challenges_expiry ON pairquiz.challenges (expires_at) WHERE expires_at IS NOT NULL;
