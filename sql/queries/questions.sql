-- Used by store/questions.py. Topics and questions.

-- name: find_topic
-- A topic by its key, with the ids of the questions that can be drawn from it, $2 (integer) by chance where it has more:
-- matches draw from them for some seconds. Beside them pairs of ids: a question that was edited, and what it is now.
-- $1 text the key.
SELECT t.id, t.name, ARRAY (
    SELECT q.id FROM pairquiz.questions AS q WHERE q.topic_id = t.id AND q.retired_at IS NULL
    ORDER BY random() LIMIT $2
) AS question_ids, ARRAY (
    SELECT ARRAY[old.id, q.id] FROM pairquiz.questions AS old
    JOIN pairquiz.questions AS q ON q.key = old.key AND q.retired_at IS NULL
    WHERE old.topic_id = t.id AND old.retired_at IS NOT NULL
) AS edits
FROM pairquiz.topics AS t WHERE t.key = $1;

-- name: list_topics
-- All topics that have questions, with how many.
SELECT t.name, count(*) AS questions
FROM pairquiz.topics AS t JOIN pairquiz.questions AS q ON q.topic_id = t.id AND q.retired_at IS NULL
GROUP BY t.id ORDER BY t.name;

-- name: read
-- Questions as they are stored, retired ones too. $1 bigint[] ids.
SELECT id, text, options, correct, lang, explanation, difficulty FROM pairquiz.questions WHERE id = ANY ($1);

-- name: lock_import
-- One import at a time; the lock is gone with the transaction.
SELECT pg_advisory_xact_lock(7203482912);

-- name: add_topics
-- Make the topics that are not there yet. $1 text[] keys, $2 text[] names.
INSERT INTO pairquiz.topics (key, name) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (key) DO NOTHING;

-- name: topic_ids
-- The numbers of topics. $1 text[] keys.
SELECT key, id FROM pairquiz.topics WHERE key = ANY ($1);

-- name: find_active
-- The active questions that any of these would meet: same topic and text, or same key.
-- $1 integer[] topic ids and $2 bytea[] text digests, side by side; $3 uuid[] keys.
WITH met AS (
    SELECT q.* FROM pairquiz.questions AS q
    JOIN unnest($1::integer[], $2::bytea[]) AS wanted (topic_id, text_digest)
      ON q.topic_id = wanted.topic_id AND q.text_digest = wanted.text_digest
    WHERE q.retired_at IS NULL
    UNION
    SELECT q.* FROM pairquiz.questions AS q WHERE q.retired_at IS NULL AND q.key = ANY ($3::uuid[])
)
SELECT met.id, met.key::text AS key, met.topic_id, t.name AS topic, met.text, met.options, met.correct,
       met.difficulty, met.lang, met.explanation, met.source
FROM met JOIN pairquiz.topics AS t ON t.id = met.topic_id;

-- name: retire
-- Take questions out of all future draws. $1 bigint[] ids.
UPDATE pairquiz.questions SET retired_at = now() WHERE id = ANY ($1);

-- name: add
-- Add questions. $1 json: a list of rows; one without a key gets one.
INSERT INTO pairquiz.questions
    (key, topic_id, text, text_digest, options, correct, difficulty, lang, explanation, source)
SELECT coalesce(r.key, gen_random_uuid()), r.topic_id, r.text, decode(r.text_digest, 'hex'), r.options, r.correct,
       r.difficulty, r.lang, r.explanation, r.source
FROM json_to_recordset($1::json) AS r (
    key uuid, topic_id integer, text text, text_digest text, options text[], correct smallint,
    difficulty pairquiz.difficulty, lang text, explanation text, source text);

-- name: export
-- All active questions, of one topic where $1 (text, its key) is not null, in a stable order.
SELECT t.name AS topic, q.key::text AS key, q.text, q.options, q.correct, q.difficulty, q.lang, q.explanation, q.source
FROM pairquiz.questions AS q JOIN pairquiz.topics AS t ON t.id = q.topic_id
WHERE q.retired_at IS NULL AND ($1::text IS NULL OR t.key = $1)
ORDER BY t.name, q.id;
