import assert from "node:assert/strict";
import { test } from "node:test";
import type { News } from "../src/news.js";
import { closesAt, openQuestion } from "../src/playing.js";
import type { Match } from "../src/snapshot.js";
import { after, heard, ID, matchOf, opponentAnswer, ownAnswer, playing, question, results, state } from "./samples.js";

const ANSWERING = { type: "answering", session_id: ID, question_id: 1, answer: 2 } as const;

function then(changes: Parameters<typeof playing>[0], ...news: Parameters<typeof after>[1][]): Match {
  return matchOf(after(playing(changes), ...news));
}

test("an answer is pending until it is locked, and then says what was right", () => {
  const sent = then({}, ANSWERING);
  assert.deepEqual(sent.pending, { 1: 2 });
  assert.equal(openQuestion(sent)?.id, 2);
  const locked = then({}, ANSWERING, ownAnswer());
  assert.deepEqual(locked.pending, {});
  assert.equal(locked.your_answers[1]?.answer, 2);
  assert.equal(locked.your_answers[1]?.correct_option, 2);
  assert.deepEqual([locked.your_score, locked.your_accuracy.right, locked.missed], [149, 1, false]);
});

test("an answer by the option's text is known by its index", () => {
  const wrong: News = { type: "heard", event: ownAnswer({ correct: false, points: 0, score: 0 }), given: "d" };
  assert.equal(then({}, { ...ANSWERING, answer: "d" }, wrong).your_answers[1]?.answer, 3);
});

test("of two answers that were given to a question the one is shown that counts", () => {
  const first: News = { type: "heard", event: ownAnswer({ correct: false }), given: 0 };
  const tapped = then({}, { ...ANSWERING, answer: 0 }, { ...ANSWERING, answer: 3 }, first);
  assert.deepEqual([tapped.your_answers[1]?.answer, tapped.pending, tapped.missed], [0, {}, false]);
});

test("an answer of another window is not taken for the one that waits here", () => {
  const other = then({}, { ...ANSWERING, answer: 3 }, ownAnswer({ correct: true, correct_option: 2 }));
  assert.deepEqual([other.your_answers[1]?.answer, other.pending], [2, {}]);
});

test("an answer that is heard twice counts once", () => {
  const twice = then({}, ANSWERING, ownAnswer(), ownAnswer({ duplicate: true }));
  assert.deepEqual(twice.your_accuracy, { right: 1, answered: 1, of: 2 });
});

test("a wrong answer of another window is asked for, because nobody says what it was", () => {
  const other = then({}, ownAnswer({ correct: false }));
  assert.deepEqual([other.your_answers[1]?.answer, other.missed], [null, true]);
});

test("a refused answer may be given again", () => {
  const refused = then({}, ANSWERING, { type: "answer_refused", session_id: ID, question_id: 1 });
  assert.equal(openQuestion(refused)?.id, 1);
});

test("a gap of versions is noticed, and mended by the whole state", () => {
  const gap = then({}, opponentAnswer({ version: 5 }));
  assert.deepEqual([gap.version, gap.missed, gap.opponent?.answered], [5, true, 1]);
  const mended = then({}, opponentAnswer({ version: 5 }), heard("quiz_state", state({ version: 5 })));
  assert.equal(mended.missed, false);
});

test("two events of one version are no gap", () => {
  const done = heard("opponent_completed", { session_id: ID, score: 280, version: 4 });
  const match = then({}, opponentAnswer({ answered: 2, score: 280 }), done);
  assert.deepEqual([match.version, match.missed, match.opponent?.completed], [4, false, true]);
});

test("what is older than what was heard changes nothing", () => {
  const before = playing({ version: 5 });
  assert.equal(after(before, heard("quiz_state", state({ version: 4, your_score: 77 }))).match, before.match);
  assert.equal(after(before, opponentAnswer({ version: 4 })).match, before.match);
});

test("an own answer that is told late is known, without its score", () => {
  const late = then({ version: 6, your_score: 200 }, ANSWERING, ownAnswer({ version: 4 }));
  assert.deepEqual([late.your_answers[1]?.correct, late.your_score, late.version], [true, 200, 6]);
});

test("a state keeps what is on its way, and what was heard of right options", () => {
  const wrong = ownAnswer({ correct: false, points: 0, score: 0 });
  const known = { answer: 1, correct: false, points: 0 };
  const resumed = then(
    {},
    { ...ANSWERING, answer: 1 },
    wrong,
    { ...ANSWERING, question_id: 2, answer: 0 },
    heard("quiz_state", state({ version: 4, your_answers: { 1: known } })),
  );
  assert.equal(resumed.your_answers[1]?.correct_option, 2);
  assert.deepEqual(resumed.pending, { 2: 0 });
});

test("an absence of the opponent comes and goes", () => {
  const gone = heard("opponent_disconnected", { session_id: ID, cause: "closed", version: 4, reconnect_by: 9000 });
  const away = then({}, gone);
  const { connected, cause, reconnect_by } = away.opponent ?? {};
  assert.deepEqual([connected, cause, reconnect_by], [false, "closed", 9000]);
  const back = then({}, gone, heard("opponent_reconnected", { session_id: ID, version: 5 }));
  assert.equal(back.opponent?.connected, true);
  assert.ok(back.opponent && !("cause" in back.opponent) && !("reconnect_by" in back.opponent));
});

test("an outage moves the clock", () => {
  const delay = { session_id: ID, delayed_ms: 4000, deadline_at: 65_000, server_time: 9000, version: 4 };
  assert.equal(closesAt(then({}, heard("session_delayed", { ...delay, opponent_reconnect_by: 39_000 }))), 65_000);
  const ready = { status: "ready", started_at: null, deadline_at: null, starts_at: 3000, questions: [] } as const;
  const waits = then({ ...ready, questions: [] }, heard("session_delayed", { ...delay, deadline_at: null }));
  assert.deepEqual([waits.starts_at, waits.missed], [7000, false]);
});

test("a match that had not begun is over when the opponent leaves; one that runs waits for its results", () => {
  const left = heard("opponent_left", { session_id: ID, version: 4 });
  const ready = then({ status: "ready" }, left);
  assert.deepEqual([ready.status, ready.end], ["abandoned", "opponent_left"]);
  assert.equal(then({}, left).status, "in_progress");
  const over = then({}, left, heard("quiz_results", results({ version: 4, reason: "opponent_left" })));
  assert.deepEqual([over.status, over.results?.reason], ["completed", "opponent_left"]);
});

test("results tell everything, and what comes of a rematch is asked for", () => {
  const over = then({ version: 7 }, heard("quiz_results", results()));
  assert.deepEqual([over.status, over.your_score, over.opponent?.score], ["completed", 149, 140]);
  assert.equal(over.your_answers[2]?.correct_option, 0);
  assert.equal(over.missed, true);
  assert.equal(closesAt(over), null);
});

test("rounds: one question is open at a time", () => {
  const rounds = { pace: "rounds", deadline_at: null, questions: [] } as const;
  const opened = (index: number, version: number) =>
    heard("round_opened", {
      session_id: ID,
      index,
      question: question(index + 1),
      reveal_at: 2000,
      closes_at: 32_000,
      version,
    });
  const closed = heard("round_closed", {
    session_id: ID,
    index: 0,
    question_id: 1,
    correct_option: 2,
    your_answer: 0,
    opponent_answer: 2,
    your_points: 0,
    opponent_points: 140,
    your_score: 0,
    opponent_score: 140,
    next_at: 34_000,
    version: 4,
  });
  const begin = { ...rounds, questions: [], version: 2 };
  const asked = then(begin, opened(0, 3));
  assert.deepEqual([openQuestion(asked)?.id, closesAt(asked)], [1, 32_000]);
  const between = then(begin, opened(0, 3), closed);
  assert.deepEqual([openQuestion(between), between.round?.next_at, between.opponent?.score], [null, 34_000, 140]);
  assert.equal(between.your_answers[1]?.correct_option, 2);
  const next = then(begin, opened(0, 3), closed, opened(1, 5));
  assert.deepEqual([openQuestion(next)?.id, next.questions.length, next.closed_rounds.length], [2, 2, 1]);
});
