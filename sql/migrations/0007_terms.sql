-- What two players agree on before a match begins, how they came together, and what happens in it by itself.

CREATE TYPE pairquiz.pace AS ENUM (
    'free',         -- each at their own speed, until the deadline
    'rounds'        -- both have the same question at the same moment
);
COMMENT ON TYPE pairquiz.pace IS 'How the questions of a match are asked.';

CREATE TYPE pairquiz.scoring AS ENUM (
    'speed_bonus',  -- points for being right, and more for being fast
    'accuracy',     -- points for being right
    'negative',     -- points for being right, and fewer for being wrong
    'difficulty',   -- points for being right, by the question's difficulty
    'practice'      -- no points
);
COMMENT ON TYPE pairquiz.scoring IS 'What an answer is worth.';

CREATE TYPE pairquiz.origin AS ENUM (
    'invitation',   -- one has created it, the other has joined by link or code
    'search',       -- both looked for somebody
    'rematch',      -- both wanted another one
    'ghost',        -- one looked for somebody, nobody was there, and a recorded run plays the other seat
    'challenge'     -- one followed the link of a recorded run
);
COMMENT ON TYPE pairquiz.origin IS 'How two players came together.';

ALTER TYPE pairquiz.feature ADD VALUE 'paired';           -- was brought together with an opponent

ALTER TABLE pairquiz.matches
    ADD COLUMN pace pairquiz.pace NOT NULL DEFAULT 'free',
    ADD COLUMN scoring pairquiz.scoring NOT NULL DEFAULT 'speed_bonus',
    ADD COLUMN origin pairquiz.origin NOT NULL DEFAULT 'invitation',
    ADD COLUMN tick_at bigint,
    ADD COLUMN reveals bigint[],
    ADD COLUMN closes_at bigint,
    ADD COLUMN previous_id uuid,
    ADD COLUMN player1_wins smallint NOT NULL DEFAULT 0,
    ADD COLUMN player2_wins smallint NOT NULL DEFAULT 0,
    ADD COLUMN ghost_match_id uuid,
    ADD COLUMN ghost_player smallint CHECK (ghost_player IN (1, 2)),
    DROP CONSTRAINT matches_check2,
    ADD CHECK ((started_at IS NULL) = (deadline_at IS NULL) OR pace = 'rounds'),
    ADD CHECK ((ghost_match_id IS NULL) = (ghost_player IS NULL));
COMMENT ON COLUMN pairquiz.matches.pace           IS 'How its questions are asked.';
COMMENT ON COLUMN pairquiz.matches.scoring        IS 'What its answers are worth, by `points` and `speed_bonus`.';
COMMENT ON COLUMN pairquiz.matches.origin         IS 'How its players came together.';
COMMENT ON COLUMN pairquiz.matches.tick_at        IS 'When something happens in it by itself, to the millisecond: it starts, opens a round, or its ghost answers. Null where nothing does. (What is over ends by due_at.)';
COMMENT ON COLUMN pairquiz.matches.reveals        IS 'In rounds: when each round so far was revealed, the open or last one at the end.';
COMMENT ON COLUMN pairquiz.matches.closes_at      IS 'In rounds: the last millisecond in which an answer to the open round is in time; null between two rounds.';
COMMENT ON COLUMN pairquiz.matches.previous_id    IS 'The match whose rematch it is.';
COMMENT ON COLUMN pairquiz.matches.player1_wins   IS 'How many of the series'' matches before this one player 1 has won.';
COMMENT ON COLUMN pairquiz.matches.player2_wins   IS 'How many of the series'' matches before this one player 2 has won.';
COMMENT ON COLUMN pairquiz.matches.ghost_match_id IS 'The match in which the run was recorded that plays the second seat; null where a person does.';
COMMENT ON COLUMN pairquiz.matches.ghost_player   IS 'Whose run it is there: player 1 or 2.';
COMMENT ON COLUMN pairquiz.matches.deadline_at    IS 'The last millisecond in which an answer is in time; null in rounds, where each has its own.';
COMMENT ON COLUMN pairquiz.matches.join_code      IS 'Eight characters of Crockford''s base 32; opens the match to a second player while it is waiting. Empty where both came together.';

-- One rematch a match, whoever asks for it at the same moment at whichever node.
CREATE UNIQUE INDEX matches_rematch ON pairquiz.matches (previous_id) WHERE previous_id IS NOT NULL;
CREATE INDEX matches_tick ON pairquiz.matches (tick_at) WHERE tick_at IS NOT NULL AND ended_at IS NULL;

-- How strong players are, for each topic and over all (Glicko-2: http://www.glicko.net/glicko/glicko2.pdf).
CREATE TABLE pairquiz.ratings (
    player_id  text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    topic_id   integer NOT NULL,
    rating     double precision NOT NULL,
    deviation  double precision NOT NULL CHECK (deviation > 0),
    volatility double precision NOT NULL CHECK (volatility > 0),
    matches    integer NOT NULL,
    rated_at   bigint NOT NULL,
    PRIMARY KEY (player_id, topic_id)
);
COMMENT ON TABLE  pairquiz.ratings            IS 'How strong players are, by their fair matches. Who has none counts as 1500 with a deviation of 350.';
COMMENT ON COLUMN pairquiz.ratings.player_id  IS 'The player.';
COMMENT ON COLUMN pairquiz.ratings.topic_id   IS 'The topic, 0 for all together (so no foreign key).';
COMMENT ON COLUMN pairquiz.ratings.rating     IS 'Glicko-2 rating, on the scale of Glicko and Elo.';
COMMENT ON COLUMN pairquiz.ratings.deviation  IS 'How unsure it is, as a standard deviation, at rated_at; it grows with time.';
COMMENT ON COLUMN pairquiz.ratings.volatility IS 'How erratic the player''s results are.';
COMMENT ON COLUMN pairquiz.ratings.matches    IS 'How many matches it rests on.';
COMMENT ON COLUMN pairquiz.ratings.rated_at   IS 'When the last of them ended.';
