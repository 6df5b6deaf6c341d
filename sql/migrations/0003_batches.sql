-- What became of a batch whose answer was lost: each node writes beside its matches which of its batches this was.

CREATE TABLE pairquiz.batches (
    node_id  uuid PRIMARY KEY,
    number   bigint NOT NULL,
    closed   bigint NOT NULL,
    stuck    uuid[] NOT NULL,
    saved_at timestamptz NOT NULL
) WITH (fillfactor = 10);  -- a row a node, written anew with each batch: room for its next versions on the same page (HOT)

COMMENT ON TABLE  pairquiz.batches          IS 'The last batch of each node, written by the statement that writes the batch. A row of a node that is gone is removed after a week.';
COMMENT ON COLUMN pairquiz.batches.node_id  IS 'The process: a new one each time that it starts.';
COMMENT ON COLUMN pairquiz.batches.number   IS 'The last batch that was committed; 0 before the first.';
COMMENT ON COLUMN pairquiz.batches.closed   IS 'No batch up to this number can be committed any more: the node has given it up, or it is committed.';
COMMENT ON COLUMN pairquiz.batches.stuck    IS 'The matches of that last batch that did not move.';
COMMENT ON COLUMN pairquiz.batches.saved_at IS 'When the row was written (the database''s clock).';
