"""A database that has seen much play: its tables are so large that it matters how rows are found."""

ROWS = 20_000
LARGE = frozenset(
    {
        *("matches", "draws", "answers", "players", "questions", "feature_usage", "presence", "bans", "challenges"),
        *("ratings", "results", "week_points", "rank_counts", "rematches", "seekers", "encounters", "blocks"),
        *("reports", "audit"),
    }
)
FILL = f"""
    INSERT INTO pairquiz.players (id, kind, display_name, created_at)
    SELECT 'player ' || n, 'user', 'Player', n FROM generate_series(1, {ROWS}) AS n;

    UPDATE pairquiz.players SET kind = 'guest', seen_at = created_at WHERE created_at % 2 = 0;
    INSERT INTO pairquiz.bans (digest, player_id, banned_at, until)
    SELECT sha256(n::text::bytea), 'player ' || n, now(), CASE WHEN n % 2 = 0 THEN now() - make_interval(days => n) END
    FROM generate_series(1, {ROWS}) AS n;

    INSERT INTO pairquiz.topics (name, key) SELECT 'Topic ' || n, 'topic ' || n FROM generate_series(1, 2000) AS n;
    INSERT INTO pairquiz.questions (topic_id, text, text_digest, options, correct, difficulty, retired_at)
    SELECT t.id, 'Question ' || n, sha256(n::text::bytea), '{{a,b,c,d}}', 0, 'easy',
           CASE WHEN n % 10 = 0 THEN now() END
    FROM generate_series(1, {ROWS}) AS n JOIN pairquiz.topics AS t ON t.key = 'topic ' || (n % 2000 + 1);

    INSERT INTO pairquiz.matches (
        id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus, join_code, request_id,
        player1_id, player2_id, created_at, due_at, ended_at, tick_at, end_reason, started_at, deadline_at)
    SELECT
        lpad(to_hex(n), 32, '0')::uuid, 3, status::pairquiz.match_status, t.id, 5, 30, 100, 50, 'CODE' || n,
        CASE WHEN n % 20 = 0 THEN 'request' END, 'player ' || n,
        CASE WHEN status <> 'waiting' THEN 'player ' || (n % {ROWS} + 1) END,
        n, n, CASE WHEN status = 'completed' THEN n END, CASE WHEN status = 'ready' AND n % 1000 = 2 THEN n END,
        CASE WHEN status = 'completed' THEN 'all_answered'::pairquiz.end_reason END,
        CASE WHEN status = 'completed' THEN n END, CASE WHEN status = 'completed' THEN n END
    FROM generate_series(1, {ROWS}) AS n
    CROSS JOIN LATERAL (
        SELECT CASE n % 100 WHEN 1 THEN 'waiting' WHEN 2 THEN 'ready' ELSE 'completed' END) AS s (status)
    JOIN pairquiz.topics AS t ON t.key = 'topic ' || (n % 2000 + 1);

    UPDATE pairquiz.matches SET previous_id = lpad(to_hex(created_at + 1), 32, '0')::uuid WHERE created_at % 10 = 0;
    INSERT INTO pairquiz.rematches (match_id, player1_asked_at, player2_asked_at)
    SELECT id, ended_at, CASE WHEN ended_at % 2 = 0 THEN ended_at END FROM pairquiz.matches WHERE ended_at IS NOT NULL;

    INSERT INTO pairquiz.draws (match_id, question_ids, option_orders)
    SELECT m.id, ARRAY[lowest.id + m.created_at * 7 % {ROWS}, lowest.id + (m.created_at * 7 + 1) % {ROWS}],
           '{{{{0,1,2,3}},{{0,1,2,3}}}}'
    FROM pairquiz.matches AS m CROSS JOIN (SELECT min(id) FROM pairquiz.questions) AS lowest (id);
    INSERT INTO pairquiz.answers
    SELECT match_id, player, place, question_id, 0, true, 100, 0, 1, 1, 0
    FROM pairquiz.draws CROSS JOIN LATERAL unnest(question_ids) WITH ORDINALITY AS q (question_id, place)
    CROSS JOIN generate_series(1, 2) AS player;
    INSERT INTO pairquiz.reports (player_id, question_id, reason, note, reported_at)
    SELECT m.player1_id, d.question_ids[1], 'other', 'A note', 1
    FROM pairquiz.matches AS m JOIN pairquiz.draws AS d ON d.match_id = m.id;
    INSERT INTO pairquiz.feature_usage (used_at, player_id, feature, match_id)
    SELECT m.created_at, m.player1_id, 'created', m.id FROM pairquiz.matches AS m;

    INSERT INTO pairquiz.audit (at, actor, via, action, subject)
    SELECT now() - make_interval(mins => n), 'root', 'database', 'player.ban', 'player ' || n
    FROM generate_series(1, {ROWS}) AS n;

    INSERT INTO pairquiz.challenges (code, match_id, player, player_id, created_at, expires_at)
    SELECT 'CODE' || m.created_at, m.id, 1, m.player1_id, m.created_at, m.created_at
    FROM pairquiz.matches AS m WHERE m.status = 'completed';

    INSERT INTO pairquiz.heartbeat (game_at, beaten_at) VALUES (1, 1);
    INSERT INTO pairquiz.nodes (id, started_at, beaten_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 1, 1 FROM generate_series(1, 10) AS n;
    INSERT INTO pairquiz.presence (player_id, node_id, came_at)
    SELECT 'player ' || n, lpad(to_hex(n % 10 + 1), 32, '0')::uuid, n FROM generate_series(1, {ROWS}) AS n;

    INSERT INTO pairquiz.seekers
    SELECT 'player ' || n, lpad(to_hex(n % 10 + 1), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'user', 'Player',
           t.id, 5, 30, 'free', 'speed_bonus', false, 1500 + n % 100, 50, n,
           CASE WHEN n % 1000 < 2 THEN lpad(to_hex(n / 2), 32, '0')::uuid END, CASE WHEN n % 1000 < 2 THEN n END
    FROM generate_series(1, {ROWS}) AS n JOIN pairquiz.topics AS t ON t.key = 'topic ' || (n % 20 + 1);
    INSERT INTO pairquiz.encounters
    SELECT 'player ' || n, 1, 'player ' || (n % {ROWS} + 1) FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO pairquiz.blocks
    SELECT 'player ' || n, 'player ' || (n % {ROWS} + 1), 1 FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO pairquiz.results (
        match_id, player, player_id, opponent_id, ghost_match_id, topic_id, outcome, ended_at, weight)
    SELECT id, seat, CASE WHEN seat = 1 THEN player1_id ELSE player2_id END,
           CASE WHEN n % 50 <> 0 THEN CASE WHEN seat = 1 THEN player2_id ELSE player1_id END END,
           CASE WHEN n % 50 = 0 THEN gen_random_uuid() END, topic_id, 'draw', ended_at, 0
    FROM pairquiz.matches CROSS JOIN generate_series(1, 2) AS seat CROSS JOIN LATERAL (SELECT created_at) AS c (n)
    WHERE status = 'completed' AND created_at < {ROWS - 500};
    INSERT INTO pairquiz.ratings
    SELECT 'player ' || n, topic, n % 3000, CASE WHEN n % 3 = 0 THEN 200 ELSE 50 END, 0.06, 1, 1
    FROM generate_series(1, {ROWS}) AS n CROSS JOIN LATERAL (VALUES (0), (n % 100 + 1)) AS t (topic);
    INSERT INTO pairquiz.week_points
    SELECT 2800 + n % 5, topic, 'player ' || n, n % 300, 1
    FROM generate_series(1, {ROWS}) AS n CROSS JOIN LATERAL (VALUES (0), (n % 10 + 1)) AS t (topic);
    ANALYZE;
"""
