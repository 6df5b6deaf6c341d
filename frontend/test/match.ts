/** Matches and results to try pure functions on. */

import { initialSnapshot, reduce, type Match, type QuestionView, type QuizResults, type QuizState } from "@pairquiz/client";

const QUESTIONS: QuestionView[] = [11, 12, 13].map((id) => ({
  id,
  text: `Question ${id}?`,
  options: ["a", "b", "c", "d"],
  kind: "single_choice",
}));

/** A running match of three questions in free pace, against Ben. */
export function matchOf(some: Partial<QuizState> = {}): Match {
  const state: QuizState = {
    session_id: "7d2ee0a6-0ffd-4d58-94b2-6a8e1d4a4c11",
    topic: "General",
    status: "in_progress",
    pace: "free",
    scoring: "speed_bonus",
    question_count: 3,
    time_limit: 20,
    started_at: 1000,
    deadline_at: 61_000,
    remaining_ms: 60_000,
    server_time: 1000,
    questions: QUESTIONS,
    your_answers: {},
    your_score: 0,
    your_accuracy: { right: 0, answered: 0, of: 3 },
    opponent: { display_name: "Ben", connected: true, kind: "player", answered: 0, score: 0, completed: false },
    version: 5,
    ...some,
  };
  const opening = reduce(initialSnapshot(), { type: "opening", session_id: state.session_id });
  const { match } = reduce(opening, { type: "heard", event: { name: "quiz_state", payload: state } });
  if (match === null) throw new Error("the client has not taken the state");
  return match;
}

/** Results in which each row is one question: own points, the opponent's. More than 0 is right. */
export function resultsOf(rows: [number, number][], some: Partial<QuizResults> = {}): QuizResults {
  const [yours, theirs] = [rows.map((row) => row[0]), rows.map((row) => row[1])];
  const sum = (points: number[]) => points.reduce((all, each) => all + each, 0);
  const accuracy = (points: number[]) => ({
    right: points.filter((each) => each > 0).length,
    answered: points.length,
    of: points.length,
  });
  const by = sum(yours) - sum(theirs);
  return {
    session_id: "7d2ee0a6-0ffd-4d58-94b2-6a8e1d4a4c11",
    your_score: sum(yours),
    opponent_score: sum(theirs),
    your_accuracy: accuracy(yours),
    opponent_accuracy: accuracy(theirs),
    outcome: by > 0 ? "won" : by < 0 ? "lost" : "draw",
    reason: "all_answered",
    questions: rows.map(([mine, other], index) => ({
      id: 11 + index,
      correct_option: 0,
      your_answer: mine > 0 ? 0 : 1,
      opponent_answer: other > 0 ? 0 : 1,
      your_points: mine,
      opponent_points: other,
      receipt: null,
    })),
    opponent: { display_name: "Ben", kind: "player" },
    version: 20,
    ...some,
  };
}
