-- Used by store/audit.py. What operators have done.

-- name: note
-- Write a line, before what it tells of is done. $1 text who, $2 text by which way, $3 uuid the node that was asked (null for
-- none), $4 text what, $5 text to whom or what (null for nothing), $6 jsonb how.
INSERT INTO pairquiz.audit (actor, via, node_id, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6);

-- name: read
-- The latest lines, the newest first, at most $3 (integer): those after $1 (double precision: seconds before now, null for all)
-- and of this subject ($2 text, null for every one).
SELECT
    id, (extract(epoch FROM at) * 1000)::bigint AS at, actor, via, node_id::text AS node, action, subject, detail::text AS detail
FROM pairquiz.audit
WHERE ($1::double precision IS NULL OR at > now() - make_interval(secs => $1)) AND ($2::text IS NULL OR subject = $2)
ORDER BY id DESC
LIMIT $3;
