-- That a process has died shows at once by the end of its session, and not only by the beats that are missing.

ALTER TABLE pairquiz.nodes ADD COLUMN session_pid integer;
COMMENT ON COLUMN pairquiz.nodes.session_pid IS 'The process of PostgreSQL that serves the session by which the node beats; null before the first beat, and behind a pooler, where sessions are anybody''s.';

CREATE VIEW pairquiz.silent_nodes AS
SELECT n.id
FROM pairquiz.nodes AS n CROSS JOIN pairquiz.heartbeat AS h
WHERE n.beaten_at < h.game_at - 1500
    OR (n.session_pid IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = n.session_pid));
COMMENT ON VIEW   pairquiz.silent_nodes    IS 'Nodes that may be dead, and their players with them: their session is gone, or of their last three beats none has come. They are not buried yet.';
COMMENT ON COLUMN pairquiz.silent_nodes.id IS 'The node.';
