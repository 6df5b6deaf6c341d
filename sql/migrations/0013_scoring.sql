-- What answers are worth besides points for speed, which questions a player has seen lately, and what players say of them.

COMMENT ON COLUMN pairquiz.answers.base          IS 'Points for being right, or what being wrong costs, below nought.';
COMMENT ON COLUMN pairquiz.answers.bonus         IS 'Points for speed; none where the match''s scoring has no bonus.';
COMMENT ON COLUMN pairquiz.matches.points        IS 'Points of a right answer, fixed at creation; what `scoring` makes of them is in rules/scoring.py.';
COMMENT ON COLUMN pairquiz.matches.player1_score IS 'Sum of the points of player 1''s answers; may be below nought.';
COMMENT ON COLUMN pairquiz.matches.player2_score IS 'Sum of the points of player 2''s answers; may be below nought.';

ALTER TYPE pairquiz.outcome ADD VALUE 'none';   -- nobody wins in practice

-- A player's matches that began and are over, by their end: where the last answers are looked for.
CREATE INDEX matches_played1 ON pairquiz.matches (player1_id, ended_at) WHERE started_at IS NOT NULL AND ended_at IS NOT NULL;
CREATE INDEX matches_played2 ON pairquiz.matches (player2_id, ended_at) WHERE started_at IS NOT NULL AND ended_at IS NOT NULL;

-- Which questions of a topic were edited: who has seen the old text has seen the question.
CREATE INDEX questions_retired ON pairquiz.questions (topic_id) WHERE retired_at IS NOT NULL;

CREATE TYPE pairquiz.report_reason AS ENUM (
    'wrong_answer', -- the option that counts as right is not, or another one is right too
    'unclear',      -- it cannot be understood, or not in one way
    'outdated',     -- it was right once
    'offensive',    -- it hurts people
    'other'         -- see the note
);
COMMENT ON TYPE pairquiz.report_reason IS 'What a player says is wrong with a question.';

CREATE TABLE pairquiz.reports (
    player_id   text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    question_id bigint NOT NULL REFERENCES pairquiz.questions,
    reason      pairquiz.report_reason NOT NULL,
    note        text CHECK (length(note) BETWEEN 1 AND 500),
    reported_at bigint NOT NULL,
    PRIMARY KEY (player_id, question_id)
);
COMMENT ON TABLE  pairquiz.reports             IS 'What players say is wrong with questions that they were shown; one a player and question. Read it with `pairquiz-server questions reported`.';
COMMENT ON COLUMN pairquiz.reports.player_id   IS 'Who says it. The report goes with the player.';
COMMENT ON COLUMN pairquiz.reports.question_id IS 'Of which question, as it was shown: an edit is another one, and has no reports yet.';
COMMENT ON COLUMN pairquiz.reports.reason      IS 'What is wrong with it; each value is noted at its type.';
COMMENT ON COLUMN pairquiz.reports.note        IS 'In the player''s own words; null where there are none.';
COMMENT ON COLUMN pairquiz.reports.reported_at IS 'When it was last said (the game''s clock).';
CREATE INDEX reports_question ON pairquiz.reports (question_id);
