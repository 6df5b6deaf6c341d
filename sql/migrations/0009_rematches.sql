-- Who wants to play the same opponent once more.

CREATE TABLE pairquiz.rematches (
    match_id         uuid PRIMARY KEY REFERENCES pairquiz.matches ON DELETE CASCADE,
    player1_asked_at bigint,
    player2_asked_at bigint,
    CHECK (player1_asked_at IS NOT NULL OR player2_asked_at IS NOT NULL)
);
COMMENT ON TABLE  pairquiz.rematches                  IS 'Requests for a rematch, for as long as they hold. Where both have asked, a match follows: the one whose previous_id this is.';
COMMENT ON COLUMN pairquiz.rematches.match_id         IS 'The completed match that is to be followed.';
COMMENT ON COLUMN pairquiz.rematches.player1_asked_at IS 'When its player 1 asked last (milliseconds); null while not, and where the player was gone when the other one asked.';
COMMENT ON COLUMN pairquiz.rematches.player2_asked_at IS 'The same of its player 2.';
CREATE INDEX rematches_asked ON pairquiz.rematches (greatest(player1_asked_at, player2_asked_at));
