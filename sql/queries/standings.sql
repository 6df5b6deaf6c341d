-- Used by store/standings.py. Lists of the best: by rating ("rated"), and by the points of a week. Among equals the order
-- is by id, and means nothing. Limits are numbers and no parameters: of one that it does not know, PostgreSQL expects a
-- tenth of the table, and sorts it.

-- name: topic
-- The topic of a name. $1 text its key.
SELECT id, name FROM pairquiz.topics WHERE key = $1;

-- name: size
-- How many have a place. $1 integer the week (0 for ratings), $2 integer the topic (0 for all).
SELECT coalesce(sum(players), 0)::integer FROM pairquiz.rank_counts WHERE week = $1 AND topic_id = $2;

-- name: ranks
-- The ranks of scores: one more than how many have more. $1 integer the week (0 for ratings), $2 integer the topic (0 for all),
-- $3 integer[] the scores.
SELECT s.score, 1 + (
    SELECT coalesce(sum(players), 0)::integer FROM pairquiz.rank_counts AS c
    WHERE c.week = $1 AND c.topic_id = $2 AND c.score > s.score) AS rank
FROM unnest($3::integer[]) AS s (score);

-- name: top_rated
-- The hundred best by rating. $1 integer the topic (0 for all).
SELECT r.player_id, p.display_name, r.listed AS score, r.matches
FROM (
    SELECT * FROM pairquiz.ratings WHERE topic_id = $1 AND listed IS NOT NULL
    ORDER BY listed DESC, player_id DESC LIMIT 100
) AS r
JOIN pairquiz.players AS p ON p.id = r.player_id
ORDER BY r.listed DESC, r.player_id DESC;

-- name: top_of_week
-- The hundred best of a week. $1 integer the week, $2 integer the topic (0 for all).
SELECT w.player_id, p.display_name, w.points AS score, w.matches
FROM (
    SELECT * FROM pairquiz.week_points WHERE week = $1 AND topic_id = $2
    ORDER BY points DESC, player_id DESC LIMIT 100
) AS w
JOIN pairquiz.players AS p ON p.id = w.player_id
ORDER BY w.points DESC, w.player_id DESC;

-- name: own_rating
-- A player's rating in a topic, where there is one. $1 text the player's id, $2 integer the topic (0 for all).
SELECT rating, deviation, volatility, matches, rated_at FROM pairquiz.ratings WHERE player_id = $1 AND topic_id = $2;

-- name: own_points
-- A player's points of a week, where there are any. $1 text the player's id, $2 integer the week, $3 integer the topic (0 for all).
SELECT points, matches FROM pairquiz.week_points WHERE week = $2 AND topic_id = $3 AND player_id = $1;

-- name: around_rated
-- Who has a place right above and right below a player, two each, and the player, the best first; of a
-- player who has no place, those around where it would be.
-- $1 text the player's id, $2 integer the topic (0 for all), $3 integer the player's rating in whole points.
SELECT near.player_id, p.display_name, near.listed AS score, near.matches
FROM (
    (SELECT player_id, listed, matches FROM pairquiz.ratings
     WHERE topic_id = $2 AND listed IS NOT NULL AND (listed, player_id) > ($3, $1)
     ORDER BY listed, player_id LIMIT 2)
    UNION ALL
    (SELECT player_id, listed, matches FROM pairquiz.ratings
     WHERE topic_id = $2 AND listed IS NOT NULL AND (listed, player_id) <= ($3, $1)
     ORDER BY listed DESC, player_id DESC LIMIT 3)
) AS near
JOIN pairquiz.players AS p ON p.id = near.player_id
ORDER BY near.listed DESC, near.player_id DESC;

-- name: around_of_week
-- The same for the points of a week.
-- $1 text the player's id, $2 integer the topic (0 for all), $3 integer the player's points, $4 integer the week.
SELECT near.player_id, p.display_name, near.points AS score, near.matches
FROM (
    (SELECT player_id, points, matches FROM pairquiz.week_points
     WHERE week = $4 AND topic_id = $2 AND (points, player_id) > ($3, $1)
     ORDER BY points, player_id LIMIT 2)
    UNION ALL
    (SELECT player_id, points, matches FROM pairquiz.week_points
     WHERE week = $4 AND topic_id = $2 AND (points, player_id) <= ($3, $1)
     ORDER BY points DESC, player_id DESC LIMIT 3)
) AS near
JOIN pairquiz.players AS p ON p.id = near.player_id
ORDER BY near.points DESC, near.player_id DESC;
