-- Used by store/blocks.py. Who is not to be brought together with whom.

-- name: block
-- Let two players find each other no more. $1 text who wants it, $2 text whom, $3 bigint now. Who is erased is nobody:
-- then nothing is written. Returns true where it was not so before.
INSERT INTO pairquiz.blocks (player_id, blocked_id, blocked_at)
SELECT $1::text, $2::text, $3::bigint
WHERE NOT EXISTS (SELECT FROM pairquiz.erasures WHERE player_id IN ($1, $2))
ON CONFLICT (player_id, blocked_id) DO NOTHING
RETURNING true;

-- name: unblock
-- Let them find each other again, as far as this player is concerned. $1 text who wanted it, $2 text whom. Returns true
-- where it was not so before.
DELETE FROM pairquiz.blocks WHERE player_id = $1 AND blocked_id = $2 RETURNING true;
