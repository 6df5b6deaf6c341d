-- What is remembered of matches: what each has meant for its players, the lists of the best, and how far all that has got.
-- All of it is written by one process at a time (engine/rater), after the matches are over.

CREATE TYPE pairquiz.outcome AS ENUM (
    'won',          -- more points, or the other gave up
    'lost',         -- fewer points, or gave up
    'draw'          -- as many points
);
COMMENT ON TYPE pairquiz.outcome IS 'How a completed match went for one of its players.';

CREATE TABLE pairquiz.results (
    match_id          uuid NOT NULL REFERENCES pairquiz.matches ON DELETE CASCADE,
    player            smallint NOT NULL CHECK (player IN (1, 2)),
    player_id         text NOT NULL,
    opponent_id       text CHECK (opponent_id <> player_id),
    ghost_match_id    uuid,
    topic_id          integer NOT NULL,
    outcome           pairquiz.outcome NOT NULL,
    ended_at          bigint NOT NULL,
    weight            real NOT NULL CHECK (weight BETWEEN 0 AND 1),
    rating_before     double precision,
    rating_after      double precision,
    deviation         double precision,
    overall_before    double precision,
    overall_after     double precision,
    overall_deviation double precision,
    PRIMARY KEY (match_id, player),
    CHECK ((opponent_id IS NULL) = (ghost_match_id IS NOT NULL)),
    CHECK (num_nulls(rating_before, rating_after, deviation, overall_before, overall_after, overall_deviation)
        = CASE WHEN weight = 0 THEN 6 ELSE 0 END)
);
COMMENT ON TABLE  pairquiz.results                   IS 'What each completed match has meant for its players, fair or not; written once, a moment after its end. A match with a row here is done with.';
COMMENT ON COLUMN pairquiz.results.match_id          IS 'The match.';
COMMENT ON COLUMN pairquiz.results.player            IS 'Whose result: player 1 or 2. A recorded run has none.';
COMMENT ON COLUMN pairquiz.results.player_id         IS 'The player.';
COMMENT ON COLUMN pairquiz.results.opponent_id       IS 'The other player, or the stand-in; null where a recorded run played the other seat.';
COMMENT ON COLUMN pairquiz.results.ghost_match_id    IS 'The match that the recorded run is of.';
COMMENT ON COLUMN pairquiz.results.topic_id          IS 'The match''s topic.';
COMMENT ON COLUMN pairquiz.results.outcome           IS 'How it went for the player.';
COMMENT ON COLUMN pairquiz.results.ended_at          IS 'When the match ended.';
COMMENT ON COLUMN pairquiz.results.weight            IS 'How much it counted for ratings: 1 as a match, 0 not at all (rules/fairness).';
COMMENT ON COLUMN pairquiz.results.rating_before     IS 'The player''s rating in the topic before it; null where it did not count.';
COMMENT ON COLUMN pairquiz.results.rating_after      IS 'And after it.';
COMMENT ON COLUMN pairquiz.results.deviation         IS 'How unsure that one is.';
COMMENT ON COLUMN pairquiz.results.overall_before    IS 'The player''s rating over all topics before it.';
COMMENT ON COLUMN pairquiz.results.overall_after     IS 'And after it.';
COMMENT ON COLUMN pairquiz.results.overall_deviation IS 'How unsure that one is.';
-- A page of a player's history, whose place is found in the index alone, however long the history is; all of a player's results counted by topic, or by opponent; runs that were played before.
CREATE INDEX results_history ON pairquiz.results (player_id, ended_at, match_id) INCLUDE (player);
CREATE INDEX results_tally ON pairquiz.results (player_id, opponent_id, topic_id, outcome);
CREATE INDEX results_ghosts ON pairquiz.results (player_id, ghost_match_id) WHERE ghost_match_id IS NOT NULL;
ALTER TABLE pairquiz.results SET (autovacuum_vacuum_insert_scale_factor = 0.01);


CREATE TABLE pairquiz.rating_progress (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    rated_until bigint NOT NULL,
    holder      uuid,
    held_until  timestamptz NOT NULL
);
COMMENT ON TABLE  pairquiz.rating_progress             IS 'One row, whose lock whoever writes ratings, results or places must hold.';
COMMENT ON COLUMN pairquiz.rating_progress.single      IS 'Keeps the table at one row.';
COMMENT ON COLUMN pairquiz.rating_progress.rated_until IS 'The latest end of a match that is done with (the game''s clock). A match that ended sooner may still come: it is looked for some way back.';
COMMENT ON COLUMN pairquiz.rating_progress.holder      IS 'The process that rates.';
COMMENT ON COLUMN pairquiz.rating_progress.held_until  IS 'Until when it does, unless it says so again (the database''s clock); then another may.';
INSERT INTO pairquiz.rating_progress (rated_until, held_until) VALUES (0, to_timestamp(0));


-- A place in the list of the best has who was established after the last match: a deviation of 110 at most (rules/rating).
ALTER TABLE pairquiz.ratings
    ADD COLUMN listed integer GENERATED ALWAYS AS (CASE WHEN deviation <= 110 THEN round(rating)::integer END) STORED;
COMMENT ON COLUMN pairquiz.ratings.listed IS 'The rating in whole points, by which players are ranked; null while it is provisional.';
CREATE INDEX ratings_board ON pairquiz.ratings (topic_id, listed, player_id) WHERE listed IS NOT NULL;

CREATE TABLE pairquiz.week_points (
    week      integer NOT NULL CHECK (week > 0),
    topic_id  integer NOT NULL,
    player_id text NOT NULL,
    points    integer NOT NULL CHECK (points >= 0),
    matches   integer NOT NULL,
    PRIMARY KEY (week, topic_id, player_id)
);
COMMENT ON TABLE  pairquiz.week_points           IS 'The league of a week: three points for a fair match that was won, one for a draw.';
COMMENT ON COLUMN pairquiz.week_points.week      IS 'The week, from Monday to Sunday in UTC: that of 29 December 1969 is 0.';
COMMENT ON COLUMN pairquiz.week_points.topic_id  IS 'The topic, 0 for all together.';
COMMENT ON COLUMN pairquiz.week_points.player_id IS 'The player.';
COMMENT ON COLUMN pairquiz.week_points.points    IS 'The points.';
COMMENT ON COLUMN pairquiz.week_points.matches   IS 'How many fair matches they are from.';
CREATE INDEX week_points_board ON pairquiz.week_points (week, topic_id, points, player_id);
CREATE INDEX week_points_player ON pairquiz.week_points (player_id);


-- A rank is one more than how many are better. Of a million they are not counted one by one: how many have how many points
-- is kept, in a list as long as there are different points.
CREATE TABLE pairquiz.rank_counts (
    week     integer NOT NULL,
    topic_id integer NOT NULL,
    score    integer NOT NULL,
    players  integer NOT NULL CHECK (players >= 0),
    PRIMARY KEY (week, topic_id, score)
) WITH (fillfactor = 50);  -- written again and again: room for the next version of a row on its page (HOT)
COMMENT ON TABLE  pairquiz.rank_counts          IS 'How many players have which score; kept by triggers of ratings and week_points.';
COMMENT ON COLUMN pairquiz.rank_counts.week     IS 'The week of week_points, 0 for ratings.';
COMMENT ON COLUMN pairquiz.rank_counts.topic_id IS 'The topic, 0 for all together.';
COMMENT ON COLUMN pairquiz.rank_counts.score    IS 'Listed rating, or points of the week.';
COMMENT ON COLUMN pairquiz.rank_counts.players  IS 'How many have exactly it.';

-- Counts change by what a statement has moved in sum, and so by one statement alone: where one player moves from 1500 to 1501
-- and another back, by nothing. Without a score (a provisional rating) there is nothing to count.
CREATE FUNCTION pairquiz.count_moves(weeks integer[], topics integer[], scores integer[], moved integer[])
RETURNS void LANGUAGE sql AS $$
    WITH moves AS MATERIALIZED (
        SELECT m.week, m.topic_id, m.score, sum(m.moved)::integer AS players
        FROM unnest(weeks, topics, scores, moved) AS m (week, topic_id, score, moved)
        WHERE m.score IS NOT NULL
        GROUP BY 1, 2, 3
        HAVING sum(m.moved) <> 0
    ), known AS (
        UPDATE pairquiz.rank_counts AS c SET players = c.players + m.players
        FROM moves AS m
        WHERE c.week = m.week AND c.topic_id = m.topic_id AND c.score = m.score
        RETURNING c.week, c.topic_id, c.score
    )
    INSERT INTO pairquiz.rank_counts AS c (week, topic_id, score, players)
    SELECT week, topic_id, score, players FROM moves
    WHERE (week, topic_id, score) NOT IN (SELECT week, topic_id, score FROM known)
$$;

CREATE FUNCTION pairquiz.count_ratings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pairquiz.count_moves(array_agg(0), array_agg(topic_id), array_agg(listed), array_agg(moved)) FROM (SELECT *, 1 AS moved FROM come) AS m;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM pairquiz.count_moves(array_agg(0), array_agg(topic_id), array_agg(listed), array_agg(moved)) FROM (SELECT *, -1 AS moved FROM gone) AS m;
    ELSE
        PERFORM pairquiz.count_moves(array_agg(0), array_agg(topic_id), array_agg(listed), array_agg(moved)) FROM (SELECT *, 1 AS moved FROM come UNION ALL SELECT *, -1 FROM gone) AS m;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_new AFTER INSERT ON pairquiz.ratings
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_ratings();
CREATE TRIGGER count_changed AFTER UPDATE ON pairquiz.ratings
    REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_ratings();
CREATE TRIGGER count_gone AFTER DELETE ON pairquiz.ratings
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_ratings();

CREATE FUNCTION pairquiz.count_week_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM pairquiz.count_moves(array_agg(week), array_agg(topic_id), array_agg(points), array_agg(moved)) FROM (SELECT *, 1 AS moved FROM come) AS m;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM pairquiz.count_moves(array_agg(week), array_agg(topic_id), array_agg(points), array_agg(moved)) FROM (SELECT *, -1 AS moved FROM gone) AS m;
    ELSE
        PERFORM pairquiz.count_moves(array_agg(week), array_agg(topic_id), array_agg(points), array_agg(moved)) FROM (SELECT *, 1 AS moved FROM come UNION ALL SELECT *, -1 FROM gone) AS m;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_new AFTER INSERT ON pairquiz.week_points
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_week_points();
CREATE TRIGGER count_changed AFTER UPDATE ON pairquiz.week_points
    REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_week_points();
CREATE TRIGGER count_gone AFTER DELETE ON pairquiz.week_points
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pairquiz.count_week_points();
