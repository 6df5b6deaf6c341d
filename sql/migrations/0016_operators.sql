-- What operators do to a server that runs: matches that they end, times in which none begins, and a line for each deed.
-- kind: expand
-- locks: matches (access exclusive)

ALTER TABLE pairquiz.matches ADD COLUMN by_operator boolean;
COMMENT ON COLUMN pairquiz.matches.by_operator IS 'True where the operator has ended it; else null. `end_reason` is then the nearest that the version before this one knows, which could not read a new one: it serves beside this one, and again after a way back.';

CREATE TABLE pairquiz.maintenance (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    message  text,
    began_at timestamptz NOT NULL DEFAULT now(),
    until    timestamptz
);
COMMENT ON TABLE  pairquiz.maintenance          IS 'While its one row is there, and not over, no match begins at any node; those that there are go on.';
COMMENT ON COLUMN pairquiz.maintenance.single   IS 'Always true: there is one row at most.';
COMMENT ON COLUMN pairquiz.maintenance.message  IS 'What players are told, in the operator''s words; null for the server''s.';
COMMENT ON COLUMN pairquiz.maintenance.began_at IS 'Since when (the database''s clock).';
COMMENT ON COLUMN pairquiz.maintenance.until    IS 'When it is over by itself (the database''s clock); null: not before the row is removed.';

CREATE TABLE pairquiz.audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    actor   text NOT NULL,
    via     text NOT NULL CHECK (via IN ('socket', 'token', 'database')),
    node_id uuid,
    action  text NOT NULL,
    subject text,
    detail  jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE  pairquiz.audit         IS 'What operators have done: the line is written before the deed, or by the same statement.';
COMMENT ON COLUMN pairquiz.audit.id      IS 'Rises with each line.';
COMMENT ON COLUMN pairquiz.audit.at      IS 'When (the database''s clock).';
COMMENT ON COLUMN pairquiz.audit.actor   IS 'Who: the system''s user by the socket and by the database, by the token the name that its owner gave.';
COMMENT ON COLUMN pairquiz.audit.via     IS 'By which way: the local socket, the token, or a command that went to the database itself.';
COMMENT ON COLUMN pairquiz.audit.node_id IS 'The node that was asked; null where none was.';
COMMENT ON COLUMN pairquiz.audit.action  IS 'What was done, such as match.end.';
COMMENT ON COLUMN pairquiz.audit.subject IS 'The match or the player that it was done to. Of a player who was erased, ''erased:'' and the digest of a ban.';
COMMENT ON COLUMN pairquiz.audit.detail  IS 'How, and why. Names no player.';
CREATE INDEX audit_at ON pairquiz.audit (at);
CREATE INDEX audit_subject ON pairquiz.audit (subject) WHERE subject IS NOT NULL;
