-- What one value may be is said by its type. PostgreSQL reads a table's CHECKs anew with every statement that writes the
-- table, which took a fifth of a small batch; a domain's are read once a connection.

CREATE DOMAIN pairquiz.seat AS smallint;
COMMENT ON DOMAIN pairquiz.seat IS 'A player of a match: 1 created it, 2 joined it.';
CREATE DOMAIN pairquiz.ordinal AS smallint;
COMMENT ON DOMAIN pairquiz.ordinal IS 'Counts from 1.';
CREATE DOMAIN pairquiz.option_index AS smallint;
COMMENT ON DOMAIN pairquiz.option_index IS 'One of four options, from 0.';
CREATE DOMAIN pairquiz.question_count AS smallint;
COMMENT ON DOMAIN pairquiz.question_count IS 'How many questions a match may have.';
CREATE DOMAIN pairquiz.time_limit_s AS smallint;
COMMENT ON DOMAIN pairquiz.time_limit_s IS 'How many seconds a question may have.';

-- The columns are of the domains before those have constraints, so that neither a table nor an index is written anew. The
-- rows that are there need no look (NOT VALID): the CHECKs that go here have held for them.
ALTER TABLE pairquiz.answers
    DROP CONSTRAINT answers_player_check,
    DROP CONSTRAINT answers_ordinal_check,
    DROP CONSTRAINT answers_chosen_check,
    ALTER COLUMN player TYPE pairquiz.seat,
    ALTER COLUMN ordinal TYPE pairquiz.ordinal,
    ALTER COLUMN chosen TYPE pairquiz.option_index;
ALTER TABLE pairquiz.matches
    DROP CONSTRAINT matches_question_count_check,
    DROP CONSTRAINT matches_time_limit_s_check,
    DROP CONSTRAINT matches_forfeited_by_check,
    ALTER COLUMN question_count TYPE pairquiz.question_count,
    ALTER COLUMN time_limit_s TYPE pairquiz.time_limit_s,
    ALTER COLUMN forfeited_by TYPE pairquiz.seat;
ALTER DOMAIN pairquiz.seat ADD CHECK (VALUE IN (1, 2)) NOT VALID;
ALTER DOMAIN pairquiz.ordinal ADD CHECK (VALUE >= 1) NOT VALID;
ALTER DOMAIN pairquiz.option_index ADD CHECK (VALUE BETWEEN 0 AND 3) NOT VALID;
ALTER DOMAIN pairquiz.question_count ADD CHECK (VALUE BETWEEN 1 AND 50) NOT VALID;
ALTER DOMAIN pairquiz.time_limit_s ADD CHECK (VALUE BETWEEN 5 AND 300) NOT VALID;
