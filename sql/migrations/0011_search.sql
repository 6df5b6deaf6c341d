-- Players who look for an opponent, whom each has met so, and whom nobody is to be brought together with.

CREATE TABLE pairquiz.seekers (
    player_id      text PRIMARY KEY,
    node_id        uuid NOT NULL REFERENCES pairquiz.nodes ON DELETE CASCADE,
    ticket         uuid NOT NULL,
    kind           pairquiz.player_kind NOT NULL,
    display_name   text NOT NULL,
    topic_id       integer NOT NULL REFERENCES pairquiz.topics,
    question_count smallint NOT NULL,
    time_limit_s   smallint NOT NULL,
    pace           pairquiz.pace NOT NULL,
    scoring        pairquiz.scoring NOT NULL,
    accept_ghost   boolean NOT NULL,
    rating         double precision NOT NULL,
    deviation      double precision NOT NULL,
    since          bigint NOT NULL,
    match_id       uuid,
    paired_at      bigint,
    CHECK ((match_id IS NULL) = (paired_at IS NULL))
);
COMMENT ON TABLE  pairquiz.seekers                IS 'Who looks for an opponent now. A row goes when its match is made, when its player cancels or leaves the node, and with its node.';
COMMENT ON COLUMN pairquiz.seekers.player_id      IS 'The player; no foreign key, because a guest becomes a row of `players` with the first match.';
COMMENT ON COLUMN pairquiz.seekers.node_id        IS 'The node that the player has asked; the entry goes with it.';
COMMENT ON COLUMN pairquiz.seekers.ticket         IS 'Made anew with other wishes: who was paired by older ones is not.';
COMMENT ON COLUMN pairquiz.seekers.kind           IS 'How the player''s identity was proved.';
COMMENT ON COLUMN pairquiz.seekers.display_name   IS 'What the player is called, where nothing is stored yet.';
COMMENT ON COLUMN pairquiz.seekers.topic_id       IS 'About what the player wants to be asked. Only equal wishes meet.';
COMMENT ON COLUMN pairquiz.seekers.question_count IS 'How many questions.';
COMMENT ON COLUMN pairquiz.seekers.time_limit_s   IS 'Seconds for each.';
COMMENT ON COLUMN pairquiz.seekers.pace           IS 'How they are asked.';
COMMENT ON COLUMN pairquiz.seekers.scoring        IS 'What an answer is worth.';
COMMENT ON COLUMN pairquiz.seekers.accept_ghost   IS 'Whether a recorded run will do, where nobody is there.';
COMMENT ON COLUMN pairquiz.seekers.rating         IS 'How strong the player was when the search began: by the topic, else over all, else 1500.';
COMMENT ON COLUMN pairquiz.seekers.deviation      IS 'How unsure that is, as a standard deviation.';
COMMENT ON COLUMN pairquiz.seekers.since          IS 'When the search with these wishes began (the game''s clock).';
COMMENT ON COLUMN pairquiz.seekers.match_id       IS 'The match that is being made for the player; null while nobody was found.';
COMMENT ON COLUMN pairquiz.seekers.paired_at      IS 'Since when it is being made (the game''s clock).';
-- The queue lies as it is paired: equal wishes beside each other, and within them who is about as strong.
CREATE INDEX seekers_queue
    ON pairquiz.seekers (topic_id, question_count, time_limit_s, pace, scoring, rating, player_id)
    WHERE match_id IS NULL;
CREATE INDEX seekers_node ON pairquiz.seekers (node_id);
CREATE INDEX seekers_match ON pairquiz.seekers (match_id) WHERE match_id IS NOT NULL;

CREATE TABLE pairquiz.encounters (
    player_id   text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    place       smallint NOT NULL CHECK (place IN (1, 2)),
    opponent_id text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    PRIMARY KEY (player_id, place)
);
COMMENT ON TABLE  pairquiz.encounters             IS 'With whom a search has brought each player together: the last two times, so that it is not a third time the same.';
COMMENT ON COLUMN pairquiz.encounters.player_id   IS 'The player.';
COMMENT ON COLUMN pairquiz.encounters.place       IS '1 for the last time, 2 for the one before.';
COMMENT ON COLUMN pairquiz.encounters.opponent_id IS 'The opponent.';
CREATE INDEX encounters_opponent ON pairquiz.encounters (opponent_id);

CREATE TABLE pairquiz.blocks (
    player_id  text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    blocked_id text NOT NULL REFERENCES pairquiz.players ON DELETE CASCADE,
    blocked_at bigint NOT NULL,
    PRIMARY KEY (player_id, blocked_id),
    CHECK (player_id <> blocked_id)
);
COMMENT ON TABLE  pairquiz.blocks            IS 'Who is not to be brought together with whom: neither finds the other.';
COMMENT ON COLUMN pairquiz.blocks.player_id  IS 'Who wants it so.';
COMMENT ON COLUMN pairquiz.blocks.blocked_id IS 'Whom the player does not want to meet; never told.';
COMMENT ON COLUMN pairquiz.blocks.blocked_at IS 'Since when (the game''s clock).';
CREATE INDEX blocks_blocked ON pairquiz.blocks (blocked_id, player_id);

ALTER TABLE pairquiz.matches
    ADD COLUMN player1_rating smallint,
    ADD COLUMN player2_rating smallint,
    ADD CHECK ((player1_rating IS NULL) = (player2_rating IS NULL));
COMMENT ON COLUMN pairquiz.matches.player1_rating IS 'How strong player 1 was when the two were brought together; null where nobody brought them.';
COMMENT ON COLUMN pairquiz.matches.player2_rating IS 'The same of player 2.';
