-- Used by store/bans.py. Who may not play, and who is about to be erased.

-- name: look
-- What a node must know of: the bans that were written since its last look, whether or not they are in force, with the
-- milliseconds that are left of each (null for ever); all who are being erased; and what to name at the next look.
-- $1 bigint what the last look returned, 0 for all. A transaction that was under way then is read now: it is no older
-- than the oldest one that was. (Numbers of another cluster, after a failover, are not comparable: look at all then.)
SELECT
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS seen,
    (
        SELECT json_agg(json_build_object(
            'digest', encode(digest, 'hex'), 'player_id', player_id,
            'left_ms', (extract(epoch FROM until - clock_timestamp()) * 1000)::bigint))
        FROM pairquiz.bans WHERE written >= $1::bigint::text::xid8
    ) AS bans,
    (SELECT json_agg(player_id) FROM pairquiz.erasures) AS erasing;

-- name: ban
-- Ban a player, or change the ban that there is. $1 bytea the digest, $2 text the player's id, $3 text the reason
-- (null: keep the one that there is), $4 double precision for how many seconds (null for ever).
INSERT INTO pairquiz.bans AS b (digest, player_id, reason, until)
VALUES ($1, $2, $3, now() + make_interval(secs => $4::double precision))
ON CONFLICT (digest) DO UPDATE
SET player_id = excluded.player_id,
    reason = coalesce(excluded.reason, b.reason),
    banned_at = CASE WHEN b.until <= now() THEN now() ELSE b.banned_at END,
    until = excluded.until,
    written = excluded.written;

-- name: unban
-- End a ban that is in force; returns true where there was one. $1 bytea the digest.
UPDATE pairquiz.bans SET until = now(), written = pg_current_xact_id()
WHERE digest = $1 AND (until IS NULL OR until > now())
RETURNING true;
