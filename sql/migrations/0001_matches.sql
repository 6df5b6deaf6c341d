-- The schema of pairquiz-server. All of it lives in `pairquiz`, never in `public`: platforms that serve
-- `public` to the internet must not serve the right answers.
--
-- Times are whole milliseconds since the epoch (bigint) on the game's own clock, which no change of a machine's
-- clock moves; `to_timestamp(x / 1000.0)` makes them readable.

CREATE TYPE pairquiz.player_kind AS ENUM (
    'guest',        -- proved by a guest token that this server signed
    'user'          -- proved by a token of the operator's issuer; the id is its `sub`
);

CREATE TYPE pairquiz.match_status AS ENUM (
    'waiting',      -- created; the second seat is free            -> ready, abandoned, expired
    'ready',        -- both seats are taken; nobody has started    -> in_progress, abandoned, expired
    'in_progress',  -- the questions are drawn, the clock runs     -> completed
    'completed',    -- over, with results                          (final)
    'abandoned',    -- a player left before the start              (final)
    'expired'       -- nobody joined, or nobody started, in time   (final)
);

CREATE TYPE pairquiz.end_reason AS ENUM (
    'all_answered', -- both have answered everything, or said that they are done
    'deadline',     -- the time was over; points decide
    'player_left',  -- a player gave up (`forfeited_by`)
    'nobody_joined',-- waiting -> expired
    'never_started' -- ready -> expired
);

CREATE TYPE pairquiz.difficulty AS ENUM (
    'easy',         -- most people know it
    'medium',       -- also where the source does not say
    'hard'          -- few people know it
);

CREATE TYPE pairquiz.feature AS ENUM (
    'created',      -- opened a match
    'joined',       -- took the second seat
    'started',      -- said start
    'completed',    -- was there at a match's end
    'abandoned'     -- left a match that was not over
);


CREATE TABLE pairquiz.topics (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    key     text NOT NULL UNIQUE
);
COMMENT ON TABLE  pairquiz.topics      IS 'What questions are about.';
COMMENT ON COLUMN pairquiz.topics.id   IS 'Internal number.';
COMMENT ON COLUMN pairquiz.topics.name IS 'As it is shown: the spelling that came first.';
COMMENT ON COLUMN pairquiz.topics.key  IS 'What makes two spellings one topic: NFC, case folded, single spaces.';


CREATE TABLE pairquiz.questions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         uuid NOT NULL DEFAULT gen_random_uuid(),
    topic_id    integer NOT NULL REFERENCES pairquiz.topics,
    text        text NOT NULL,
    text_digest bytea NOT NULL,
    options     text[] NOT NULL CHECK (cardinality(options) = 4),
    correct     smallint NOT NULL CHECK (correct BETWEEN 0 AND 3),
    difficulty  pairquiz.difficulty NOT NULL,
    lang        text,
    explanation text,
    source      text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    retired_at  timestamptz
);
COMMENT ON TABLE  pairquiz.questions             IS 'Questions. A row never changes, so that running matches and old results stay true: an edit is a new row with the same key.';
COMMENT ON COLUMN pairquiz.questions.id          IS 'The question''s id on the wire.';
COMMENT ON COLUMN pairquiz.questions.key         IS 'Names the question over all its edits, also in exported files.';
COMMENT ON COLUMN pairquiz.questions.topic_id    IS 'Its topic.';
COMMENT ON COLUMN pairquiz.questions.text        IS 'What is asked.';
COMMENT ON COLUMN pairquiz.questions.text_digest IS 'SHA-256 of the text after NFC, case folding and white space: two alike are one question of a topic.';
COMMENT ON COLUMN pairquiz.questions.options     IS 'The four options, in the order of the source; each match has its own order.';
COMMENT ON COLUMN pairquiz.questions.correct     IS 'Zero-based index of the right option. Leaves the server only after the player''s own answer is locked.';
COMMENT ON COLUMN pairquiz.questions.difficulty  IS 'How hard it is, in three levels.';
COMMENT ON COLUMN pairquiz.questions.lang        IS 'BCP 47 tag of the language, where the source says it.';
COMMENT ON COLUMN pairquiz.questions.explanation IS 'Why the right option is right; shown after the match only.';
COMMENT ON COLUMN pairquiz.questions.source      IS 'Where the question comes from, where the source says it.';
COMMENT ON COLUMN pairquiz.questions.created_at  IS 'When the row was made (the database''s clock).';
COMMENT ON COLUMN pairquiz.questions.retired_at  IS 'When it was replaced by an edit; no new match draws it after that.';

-- Two that read alike are one question; this is also where a draw and a topic's count look.
CREATE UNIQUE INDEX questions_active ON pairquiz.questions (topic_id, text_digest) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX questions_active_key ON pairquiz.questions (key) WHERE retired_at IS NULL;


CREATE TABLE pairquiz.players (
    id           text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    kind         pairquiz.player_kind NOT NULL,
    display_name text NOT NULL,
    label        text,
    created_at   bigint NOT NULL
);
COMMENT ON TABLE  pairquiz.players              IS 'Everybody who has created or joined a match.';
COMMENT ON COLUMN pairquiz.players.id           IS 'The token''s `sub`, or `guest:…`.';
COMMENT ON COLUMN pairquiz.players.kind         IS 'How the identity was proved.';
COMMENT ON COLUMN pairquiz.players.display_name IS 'The name that opponents see.';
COMMENT ON COLUMN pairquiz.players.label        IS 'The `user_id` that a guest''s frontend sent: unproved, shown to nobody.';
COMMENT ON COLUMN pairquiz.players.created_at   IS 'When the first match was created or joined.';


CREATE TABLE pairquiz.matches (
    id                   uuid PRIMARY KEY,
    version              integer NOT NULL,
    status               pairquiz.match_status NOT NULL,
    topic_id             integer NOT NULL REFERENCES pairquiz.topics,
    question_count       smallint NOT NULL CHECK (question_count BETWEEN 1 AND 50),
    time_limit_s         smallint NOT NULL CHECK (time_limit_s BETWEEN 5 AND 300),
    points               integer NOT NULL,
    speed_bonus          integer NOT NULL,
    join_code            text NOT NULL,
    request_id           text,
    player1_id           text NOT NULL REFERENCES pairquiz.players,
    player2_id           text REFERENCES pairquiz.players CHECK (player2_id <> player1_id),
    player1_score        integer NOT NULL DEFAULT 0,
    player2_score        integer NOT NULL DEFAULT 0,
    player1_completed_at bigint,
    player2_completed_at bigint,
    created_at           bigint NOT NULL,
    due_at               bigint NOT NULL,
    joined_at            bigint,
    started_at           bigint,
    deadline_at          bigint,
    ended_at             bigint,
    end_reason           pairquiz.end_reason,
    forfeited_by         smallint CHECK (forfeited_by IN (1, 2)),
    CHECK ((status IN ('waiting', 'ready', 'in_progress')) = (ended_at IS NULL)),
    CHECK ((started_at IS NULL) = (deadline_at IS NULL))
) WITH (fillfactor = 70);  -- room for the new row on the same page: an answer changes no indexed column (HOT)

COMMENT ON TABLE  pairquiz.matches                      IS 'Matches between two players; `id` is the session_id of the wire. Changed by the committer''s one statement alone.';
COMMENT ON COLUMN pairquiz.matches.id                   IS 'The session_id: random, so that it cannot be guessed.';
COMMENT ON COLUMN pairquiz.matches.version              IS 'Rises by one with each change; a write names the version that it was decided on.';
COMMENT ON COLUMN pairquiz.matches.status               IS 'Where the match stands; each value''s moves are noted at its type.';
COMMENT ON COLUMN pairquiz.matches.topic_id             IS 'The topic that its questions are drawn from.';
COMMENT ON COLUMN pairquiz.matches.question_count       IS 'How many questions each player gets.';
COMMENT ON COLUMN pairquiz.matches.time_limit_s         IS 'Seconds a question; question_count times this is the whole match.';
COMMENT ON COLUMN pairquiz.matches.points               IS 'Points of a right answer, fixed at creation.';
COMMENT ON COLUMN pairquiz.matches.speed_bonus          IS 'The most that speed adds to a right answer, fixed at creation.';
COMMENT ON COLUMN pairquiz.matches.join_code            IS 'Eight characters of Crockford''s base 32; opens the match to a second player while it is waiting.';
COMMENT ON COLUMN pairquiz.matches.request_id           IS 'The creator''s own name for the creation, which makes a repeat harmless; cleared after 24 hours.';
COMMENT ON COLUMN pairquiz.matches.player1_id           IS 'The creator.';
COMMENT ON COLUMN pairquiz.matches.player2_id           IS 'Who joined; null while waiting.';
COMMENT ON COLUMN pairquiz.matches.player1_score        IS 'Sum of the points of player 1''s answers.';
COMMENT ON COLUMN pairquiz.matches.player2_score        IS 'Sum of the points of player 2''s answers.';
COMMENT ON COLUMN pairquiz.matches.player1_completed_at IS 'When player 1 had nothing more to answer.';
COMMENT ON COLUMN pairquiz.matches.player2_completed_at IS 'When player 2 had nothing more to answer.';
COMMENT ON COLUMN pairquiz.matches.created_at           IS 'When it was created.';
COMMENT ON COLUMN pairquiz.matches.due_at               IS 'When the sweeper has to look at a live match: the end of the wait, of the readiness, or the deadline.';
COMMENT ON COLUMN pairquiz.matches.joined_at            IS 'When the second player came.';
COMMENT ON COLUMN pairquiz.matches.started_at           IS 'When the clock began to run.';
COMMENT ON COLUMN pairquiz.matches.deadline_at          IS 'The last millisecond in which an answer is in time.';
COMMENT ON COLUMN pairquiz.matches.ended_at             IS 'When it was over; null while live.';
COMMENT ON COLUMN pairquiz.matches.end_reason           IS 'Why it is over.';
COMMENT ON COLUMN pairquiz.matches.forfeited_by         IS 'The player (1 or 2) who gave up.';

CREATE INDEX matches_due ON pairquiz.matches (due_at)
    WHERE status IN ('waiting', 'ready', 'in_progress');
CREATE INDEX matches_live_player1 ON pairquiz.matches (player1_id)
    WHERE status IN ('waiting', 'ready', 'in_progress');
CREATE INDEX matches_live_player2 ON pairquiz.matches (player2_id)
    WHERE status IN ('waiting', 'ready', 'in_progress');
-- Two waiting matches never share a code; afterwards it only tells the joiner's own repeat.
CREATE UNIQUE INDEX matches_waiting_code ON pairquiz.matches (join_code) WHERE status = 'waiting';
CREATE INDEX matches_joined_code ON pairquiz.matches (player2_id, join_code) WHERE player2_id IS NOT NULL;
CREATE UNIQUE INDEX matches_request ON pairquiz.matches (player1_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX matches_request_age ON pairquiz.matches (created_at) WHERE request_id IS NOT NULL;


CREATE TABLE pairquiz.match_questions (
    match_id     uuid NOT NULL REFERENCES pairquiz.matches ON DELETE CASCADE,
    position     smallint NOT NULL,
    question_id  bigint NOT NULL REFERENCES pairquiz.questions,
    option_order smallint[] NOT NULL CHECK (cardinality(option_order) = 4),
    PRIMARY KEY (match_id, position)
);
COMMENT ON TABLE  pairquiz.match_questions              IS 'Which questions were drawn when a match started, the same for both players.';
COMMENT ON COLUMN pairquiz.match_questions.match_id     IS 'The match.';
COMMENT ON COLUMN pairquiz.match_questions.position     IS 'Its place in the match, from 0.';
COMMENT ON COLUMN pairquiz.match_questions.question_id  IS 'The question.';
COMMENT ON COLUMN pairquiz.match_questions.option_order IS 'Shown at place i is the stored option option_order[i] (both from 0).';


CREATE TABLE pairquiz.answers (
    match_id      uuid NOT NULL,
    player        smallint NOT NULL CHECK (player IN (1, 2)),
    ordinal       smallint NOT NULL CHECK (ordinal >= 1),
    question_id   bigint NOT NULL,
    chosen        smallint NOT NULL CHECK (chosen BETWEEN 0 AND 3),
    correct       boolean NOT NULL,
    base          integer NOT NULL,
    bonus         integer NOT NULL,
    arrived_at    bigint NOT NULL,
    judged_at     bigint NOT NULL,
    lag_credit_ms smallint NOT NULL,
    PRIMARY KEY (match_id, player, question_id)
);
COMMENT ON TABLE  pairquiz.answers               IS 'Locked answers. No foreign key: they are written beside their match by the one statement that moves it, and a key''s check on each would cost more than the row.';
COMMENT ON COLUMN pairquiz.answers.match_id      IS 'The match.';
COMMENT ON COLUMN pairquiz.answers.player        IS 'Whose answer: player 1 (the creator) or 2. The primary key lets nobody answer twice.';
COMMENT ON COLUMN pairquiz.answers.ordinal       IS 'Counts this player''s answers in the order in which they were given, from 1.';
COMMENT ON COLUMN pairquiz.answers.question_id   IS 'The question.';
COMMENT ON COLUMN pairquiz.answers.chosen        IS 'Index of the chosen option in the match''s order, from 0.';
COMMENT ON COLUMN pairquiz.answers.correct       IS 'Whether it is the right one.';
COMMENT ON COLUMN pairquiz.answers.base          IS 'Points for being right.';
COMMENT ON COLUMN pairquiz.answers.bonus         IS 'Points for speed.';
COMMENT ON COLUMN pairquiz.answers.arrived_at    IS 'When it reached the server.';
COMMENT ON COLUMN pairquiz.answers.judged_at     IS 'arrived_at less lag_credit_ms: what the deadline and the bonus go by.';
COMMENT ON COLUMN pairquiz.answers.lag_credit_ms IS 'What was credited for the line''s delay.';


CREATE TABLE pairquiz.feature_usage (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    used_at   bigint NOT NULL,
    player_id text NOT NULL,
    feature   pairquiz.feature NOT NULL,
    match_id  uuid NOT NULL
);
COMMENT ON TABLE  pairquiz.feature_usage           IS 'Who used what, when; written in the same statement as what it tells of. Read it with usage.by_day.';
COMMENT ON COLUMN pairquiz.feature_usage.id        IS 'Internal number.';
COMMENT ON COLUMN pairquiz.feature_usage.used_at   IS 'When.';
COMMENT ON COLUMN pairquiz.feature_usage.player_id IS 'Who.';
COMMENT ON COLUMN pairquiz.feature_usage.feature   IS 'What; each value is noted at its type.';
COMMENT ON COLUMN pairquiz.feature_usage.match_id  IS 'In which match.';
CREATE INDEX feature_usage_time ON pairquiz.feature_usage (used_at);


CREATE TABLE pairquiz.server_state (
    key        text PRIMARY KEY,
    value      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  pairquiz.server_state            IS 'What the servers of one database share: `guest_secret` (signs guest tokens), `starter_questions` (marks that they were loaded).';
COMMENT ON COLUMN pairquiz.server_state.key        IS 'Name.';
COMMENT ON COLUMN pairquiz.server_state.value      IS 'Its bytes.';
COMMENT ON COLUMN pairquiz.server_state.created_at IS 'When it was written (the database''s clock).';
