-- What a match has drawn becomes one row instead of one a question, a player's matches are found by an index that nothing
-- can be taken for, and the tables that grow are looked after in time.

-- A row a question cost most of what a start cost, each with two foreign keys to check, and a quarter of the disk.
-- As with answers, no foreign key: the row is written beside its match by the one statement that moves it.
CREATE TABLE pairquiz.draws (
    match_id      uuid PRIMARY KEY,
    question_ids  bigint[] NOT NULL,
    option_orders smallint[] NOT NULL,
    CHECK (cardinality(option_orders) = 4 * cardinality(question_ids))
);
COMMENT ON TABLE  pairquiz.draws               IS 'Which questions were drawn when a match started, the same for both players.';
COMMENT ON COLUMN pairquiz.draws.match_id      IS 'The match.';
COMMENT ON COLUMN pairquiz.draws.question_ids  IS 'The questions, in the order in which the match shows them.';
COMMENT ON COLUMN pairquiz.draws.option_orders IS 'Four numbers a question: shown at place i of question n is its stored option option_orders[n][i] (options from 0).';

INSERT INTO pairquiz.draws (match_id, question_ids, option_orders)
SELECT match_id, array_agg(question_id ORDER BY position), array_agg(option_order ORDER BY position)
FROM pairquiz.match_questions GROUP BY match_id;
DROP TABLE pairquiz.match_questions;

-- What the foreign key has kept: a question that was played does not vanish.
CREATE FUNCTION pairquiz.keep_questions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'questions are never deleted, because matches have drawn them: set retired_at'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER keep_questions BEFORE DELETE OR TRUNCATE ON pairquiz.questions
    FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.keep_questions();

-- Three partial indexes said "live" in the same words, so each could serve for any of the others: where the statistics knew
-- of few live matches, looking for a player's own was planned as a walk over all of them. Two indexes less are written, too.
DROP INDEX pairquiz.matches_due, pairquiz.matches_live_player1, pairquiz.matches_live_player2, pairquiz.matches_player1,
    pairquiz.matches_joined_code;
CREATE INDEX matches_due ON pairquiz.matches (due_at) WHERE ended_at IS NULL;
CREATE INDEX matches_player1 ON pairquiz.matches (player1_id, status);
CREATE INDEX matches_player2 ON pairquiz.matches (player2_id, status, join_code) WHERE player2_id IS NOT NULL;

-- Autovacuum waits for a fifth of a table by default: of 50 million answers, for 10 million. A hundredth comes more often
-- and costs a hundredth: where rows are only added, it reads the pages that are new, and no index.
ALTER TABLE pairquiz.answers SET (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE pairquiz.draws SET (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE pairquiz.feature_usage SET (autovacuum_vacuum_insert_scale_factor = 0.01);
-- Joins, starts and ends write new index entries (answers do not: HOT), and the share of live matches is what plans rest on.
ALTER TABLE pairquiz.matches SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
