-- How each process fares, for `pairquiz-server top`: whoever asks one of them sees all.
-- kind: expand
-- locks: nodes (share row exclusive)

CREATE UNLOGGED TABLE pairquiz.vitals (
    node_id uuid PRIMARY KEY REFERENCES pairquiz.nodes ON DELETE CASCADE,
    told    json NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE  pairquiz.vitals         IS 'What each node last said of itself, every second. Not logged: after a crash of PostgreSQL they say it anew.';
COMMENT ON COLUMN pairquiz.vitals.node_id IS 'The node; goes with it.';
COMMENT ON COLUMN pairquiz.vitals.told    IS 'What it has counted since it started, and what there is now (Vitals in store/vitals.py).';
