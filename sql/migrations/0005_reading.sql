-- Which answers came sooner than a person can read.

ALTER TABLE pairquiz.answers ADD COLUMN too_fast boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN pairquiz.answers.too_fast IS 'Whether it came sooner than a person can read what this player had answered until then: a hint for the operator, which costs nobody a point.';
