-- Who may not play, who is to be forgotten, and what keeps that quick.

ALTER TYPE pairquiz.player_kind ADD VALUE 'erased';   -- the one stand-in for all who were erased: nobody's identity
COMMENT ON TYPE pairquiz.player_kind IS 'How an identity was proved.';

ALTER TABLE pairquiz.players ADD COLUMN seen_at bigint;
UPDATE pairquiz.players SET seen_at = (extract(epoch FROM now()) * 1000)::bigint;
COMMENT ON COLUMN pairquiz.players.seen_at    IS 'When the player last connected, to the day; null where not since the first match. Guests are forgotten by it.';
COMMENT ON COLUMN pairquiz.players.created_at IS 'When the first match was created or joined, or a name chosen.';
COMMENT ON TABLE  pairquiz.players            IS 'Everybody who has created or joined a match, or chosen a name; and one stand-in for those who were erased.';
CREATE INDEX players_guests ON pairquiz.players (coalesce(seen_at, created_at)) WHERE kind = 'guest';

-- All that a person has played, for export and erasure; the other seat has its own in matches_joined_code.
CREATE INDEX matches_player1 ON pairquiz.matches (player1_id);
CREATE INDEX feature_usage_player ON pairquiz.feature_usage (player_id);
CREATE INDEX matches_ended ON pairquiz.matches (status, ended_at) WHERE ended_at IS NOT NULL;


CREATE TABLE pairquiz.bans (
    digest    bytea PRIMARY KEY CHECK (length(digest) = 32),
    player_id text,
    reason    text,
    banned_at timestamptz NOT NULL DEFAULT now(),
    until     timestamptz,
    written   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE  pairquiz.bans           IS 'Who may not play. A ban outlives the erasure of its player: then nothing but the digest and the times is left.';
COMMENT ON COLUMN pairquiz.bans.digest    IS 'HMAC-SHA256 of the player''s id by `ban_secret` of server_state.';
COMMENT ON COLUMN pairquiz.bans.player_id IS 'The player; null once erased.';
COMMENT ON COLUMN pairquiz.bans.reason    IS 'What the operator has noted; null once the player is erased.';
COMMENT ON COLUMN pairquiz.bans.banned_at IS 'Since when (the database''s clock).';
COMMENT ON COLUMN pairquiz.bans.until     IS 'Until when (the database''s clock); null for ever. An unban sets it to now, and the row goes some days later.';
COMMENT ON COLUMN pairquiz.bans.written   IS 'The transaction that wrote the row: a node reads what was written since its last look.';
CREATE INDEX bans_written ON pairquiz.bans (written);
CREATE INDEX bans_until ON pairquiz.bans (until) WHERE until IS NOT NULL;

CREATE TABLE pairquiz.erasures (
    player_id text PRIMARY KEY,
    wished_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  pairquiz.erasures           IS 'Who is to be erased and is not yet: while the row is there, the player is refused. It is the last thing that is erased.';
COMMENT ON COLUMN pairquiz.erasures.player_id IS 'The player.';
COMMENT ON COLUMN pairquiz.erasures.wished_at IS 'When it was wished (the database''s clock).';
CREATE INDEX erasures_wished ON pairquiz.erasures (wished_at);
