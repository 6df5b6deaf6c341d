-- Matches in rounds: both players have the same question at the same moment, and the next one after a pause.

ALTER TABLE pairquiz.matches ADD COLUMN pause_ms integer NOT NULL DEFAULT 0 CHECK (pause_ms >= 0);
COMMENT ON COLUMN pairquiz.matches.pause_ms IS 'In rounds: how long after the end of one round the next one is opened; noted at the start.';
COMMENT ON COLUMN pairquiz.matches.due_at   IS 'When somebody has to look: at the end of the wait, of the readiness or of a grace, at deadline_at, or at closes_at.';
COMMENT ON COLUMN pairquiz.answers.judged_at IS 'arrived_at less lag_credit_ms, in rounds no sooner than the reveal: what the deadline and the bonus go by.';
