-- Used by store/maintenance.py. The times in which no match begins.

-- name: look
-- The maintenance that goes on, if one does: what players are told, and the milliseconds that are left (null: no end is known).
SELECT message, (extract(epoch FROM until - clock_timestamp()) * 1000)::bigint AS left_ms,
    (extract(epoch FROM clock_timestamp() - began_at) * 1000)::bigint AS since_ms
FROM pairquiz.maintenance
WHERE until IS NULL OR until > clock_timestamp();

-- name: begin
-- Let no match begin from now on; what goes on already changes to this. $1 text what players are told (null: the server's
-- words), $2 double precision for how many seconds (null: until it is ended). With its line of the audit: $3 text who,
-- $4 text by which way, $5 uuid the node that was asked, $6 jsonb how.
WITH noted AS (
    INSERT INTO pairquiz.audit (actor, via, node_id, action, detail) VALUES ($3, $4, $5, 'maintenance.on', $6)
)
INSERT INTO pairquiz.maintenance AS m (message, until) VALUES ($1, now() + make_interval(secs => $2::double precision))
ON CONFLICT (single) DO UPDATE
SET message = excluded.message,
    until = excluded.until,
    began_at = CASE WHEN m.until <= now() THEN now() ELSE m.began_at END;

-- name: finish
-- Let matches begin again; returns true where none could. With its line of the audit, where anything has changed: $1 text who,
-- $2 text by which way, $3 uuid the node that was asked.
WITH gone AS (
    DELETE FROM pairquiz.maintenance RETURNING until
),
ended AS (
    SELECT FROM gone WHERE until IS NULL OR until > now()
),
noted AS (
    INSERT INTO pairquiz.audit (actor, via, node_id, action) SELECT $1, $2, $3, 'maintenance.off' FROM ended
)
SELECT EXISTS (SELECT FROM ended);
