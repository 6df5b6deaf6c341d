-- Used by store/results.py. What is remembered of a player's matches, as the player may see it.

-- name: ratings
-- How strong a player is, for each topic and over all (0, which has no name). $1 text the player's id.
SELECT r.topic_id, t.name AS topic, r.rating, r.deviation, r.volatility, r.matches, r.rated_at
FROM pairquiz.ratings AS r
LEFT JOIN pairquiz.topics AS t ON t.id = r.topic_id
WHERE r.player_id = $1;

-- name: tally
-- How often a player has won, lost and drawn, by topic, with the topics' names. $1 text the player's id.
SELECT counted.topic_id, t.name AS topic, counted.won, counted.lost, counted.draw
FROM (
    SELECT topic_id,
        count(*) FILTER (WHERE outcome = 'won') AS won,
        count(*) FILTER (WHERE outcome = 'lost') AS lost,
        count(*) FILTER (WHERE outcome = 'draw') AS draw
    FROM pairquiz.results WHERE player_id = $1 GROUP BY topic_id
) AS counted
JOIN pairquiz.topics AS t ON t.id = counted.topic_id
ORDER BY t.name;

-- name: against
-- How often a player has won, lost and drawn against another, who was there. $1 text the player's id, $2 text the other's.
SELECT
    count(*) FILTER (WHERE outcome = 'won') AS won,
    count(*) FILTER (WHERE outcome = 'lost') AS lost,
    count(*) FILTER (WHERE outcome = 'draw') AS draw
FROM pairquiz.results WHERE player_id = $1 AND opponent_id = $2;

-- name: page
-- Finished matches of a player, the latest first, at most $4 (integer): those that ended before $2 (bigint), or then with a smaller
-- id than $3 (uuid). $1 text the player's id.
SELECT
    m.id, t.name AS topic, m.origin::text, m.pace::text, m.scoring::text, m.question_count, r.ended_at,
    r.outcome::text, m.end_reason::text, m.forfeited_by, r.player,
    CASE WHEN r.player = 1 THEN m.player1_score ELSE m.player2_score END AS your_score,
    CASE WHEN r.player = 1 THEN m.player2_score ELSE m.player1_score END AS opponent_score,
    coalesce((
        SELECT p.display_name
        FROM pairquiz.matches AS g
        JOIN pairquiz.players AS p ON p.id = CASE m.ghost_player WHEN 1 THEN g.player1_id ELSE g.player2_id END
        WHERE g.id = m.ghost_match_id
    ), other.display_name) AS opponent_name, r.ghost_match_id IS NOT NULL AS ghost,
    r.weight, r.rating_before, r.rating_after, r.deviation
FROM (
    SELECT match_id, player FROM pairquiz.results
    WHERE player_id = $1 AND (ended_at, match_id) < ($2, $3)
    ORDER BY ended_at DESC, match_id DESC
    LIMIT $4
) AS place
JOIN pairquiz.results AS r ON r.match_id = place.match_id AND r.player = place.player
JOIN pairquiz.matches AS m ON m.id = r.match_id
JOIN pairquiz.topics AS t ON t.id = m.topic_id
LEFT JOIN pairquiz.players AS other ON other.id = CASE WHEN r.player = 1 THEN m.player2_id ELSE m.player1_id END
ORDER BY r.ended_at DESC, r.match_id DESC;

-- name: person
-- What a player is called, unless there is none of this id, or one who is to be erased. $1 text the player's id.
SELECT display_name FROM pairquiz.players AS p
WHERE id = $1 AND kind IN ('guest', 'user') AND NOT EXISTS (SELECT FROM pairquiz.erasures AS e WHERE e.player_id = p.id);
