-- Used by store/usage.py. Who used what, when.

-- name: by_day
-- Uses and different players of each feature, by day (UTC), the newest day first.
-- $1 bigint from, $2 bigint until (milliseconds since the epoch, the end excluded).
SELECT (to_timestamp(used_at / 1000.0) AT TIME ZONE 'UTC')::date AS day, feature::text,
       count(*) AS uses, count(DISTINCT player_id) AS players
FROM pairquiz.feature_usage
WHERE used_at >= $1 AND used_at < $2
GROUP BY day, feature
ORDER BY day DESC, feature;
