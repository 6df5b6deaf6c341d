-- To refuse to be recorded counts for what is played meanwhile, whatever is allowed later.

ALTER TABLE pairquiz.players ADD COLUMN refused_at bigint;
UPDATE pairquiz.players SET refused_at = 0 WHERE NOT record_runs;    -- since when, nobody has noted
COMMENT ON COLUMN pairquiz.players.refused_at IS 'Since when the player refuses to be recorded (the game''s clock); null while that is allowed.';

-- Null in nearly all rows, where it costs nothing.
ALTER TABLE pairquiz.draws ADD COLUMN unrecorded smallint CHECK (unrecorded BETWEEN 1 AND 3);
COMMENT ON COLUMN pairquiz.draws.unrecorded IS 'Whose run is replayed to nobody, for good: 1 for player 1, 2 for player 2, 3 for both; null for neither. The player refused while the match was played, or the server recorded nobody when it began.';
