import { expect, test } from "vitest";
import { nextOpen, openCount } from "../src/app/questions.ts";
import { rivalSide, yourSide } from "../src/app/sides.ts";
import { matchOf, resultsOf } from "./match.ts";

const OPPONENT = { display_name: "Ben", connected: true, kind: "player", answered: 2, score: 120, completed: false } as const;

test("own answers are right or wrong, and the question on screen is marked", () => {
  const match = matchOf({ your_answers: { 11: { answer: 0, correct: true, points: 120 }, 12: { answer: 1, correct: false, points: 0 } } });
  expect(yourSide(match, 2).pips).toEqual(["right", "wrong", "now"]);
});

test("of the opponent it is known how many are answered, and nothing more", () => {
  const side = rivalSide(matchOf({ opponent: OPPONENT }));
  expect(side.pips).toEqual(["done", "done", "open"]);
  expect(side.score).toBe(120);
});

test("closed rounds tell what the opponent made of them", () => {
  const closed = { index: 0, question_id: 11, correct_option: 2, your_answer: null, opponent_answer: 2, your_points: 0, opponent_points: 100 };
  const round = { index: 1, reveal_at: 1, closes_at: 2, next_at: null };
  const match = matchOf({ pace: "rounds", closed_rounds: [closed], round, opponent: OPPONENT });
  expect(rivalSide(match).pips).toEqual(["right", "done", "open"]);
  expect(yourSide(match, 1).pips).toEqual(["missed", "now", "open"]);
});

test("who gave no answer to a round has missed it, and is not wrong", () => {
  const closed = { index: 0, question_id: 11, correct_option: 2, your_answer: 1, opponent_answer: null, your_points: 0, opponent_points: 0 };
  const round = { index: 1, reveal_at: 1, closes_at: 2, next_at: null };
  const match = matchOf({ pace: "rounds", closed_rounds: [closed], round, opponent: { ...OPPONENT, answered: 0 } });
  expect(rivalSide(match).pips).toEqual(["missed", "open", "open"]);
});

test("practice has no points", () => {
  const match = matchOf({ scoring: "practice" });
  expect([yourSide(match).score, rivalSide(match).score]).toEqual([null, null]);
});

test("results tell all", () => {
  const match = matchOf({ status: "completed", results: resultsOf([[100, 0], [0, 100], [100, 100]]) });
  expect(yourSide(match).pips).toEqual(["right", "wrong", "right"]);
  expect(rivalSide(match).pips).toEqual(["wrong", "right", "right"]);
});

test("the next question is the next open one, round the end", () => {
  const match = matchOf({ your_answers: { 12: { answer: 0, correct: true, points: 1 } } });
  expect(nextOpen(match, -1)).toBe(11);
  expect(nextOpen(match, 0)).toBe(13);
  expect(nextOpen(match, 2)).toBe(11);
  expect(openCount(match)).toBe(2);
});

test("an answer that is on its way is not asked for again", () => {
  const match = { ...matchOf(), pending: { 11: 2 } };
  expect(nextOpen(match, -1)).toBe(12);
  expect(openCount(match)).toBe(2);
});
