// Payloads as the server sends them, for tests that change one key each.
import type {
  OpponentAnswer,
  OwnAnswer,
  QuestionResult,
  QuestionView,
  QuizResults,
  QuizState,
  Welcome,
} from "../src/contract.js";
import type { EventName, Heard, News, Payload } from "../src/news.js";
import { reduce } from "../src/reducer.js";
import { initialSnapshot, type Match, type Snapshot } from "../src/snapshot.js";

export const ID = "0b8f3f4e-6f0e-4a57-9f57-0d6c1d2f7a10";
export const NEXT_ID = "7c0d7a52-2a47-4d13-8a3f-5a5f0e1b9c33";

export function question(id: number): QuestionView {
  return { id, text: `Question ${id}?`, options: ["a", "b", "c", "d"], kind: "single_choice" };
}

export function state(changes: Partial<QuizState> = {}): QuizState {
  return {
    session_id: ID,
    topic: "General",
    status: "in_progress",
    pace: "free",
    scoring: "speed_bonus",
    question_count: 2,
    time_limit: 30,
    started_at: 1000,
    deadline_at: 61_000,
    remaining_ms: 60_000,
    server_time: 1000,
    questions: [question(1), question(2)],
    your_answers: {},
    your_score: 0,
    your_accuracy: { right: 0, answered: 0, of: 2 },
    opponent: { display_name: "Ben", connected: true, kind: "player", answered: 0, score: 0, completed: false },
    version: 3,
    ...changes,
  };
}

export function welcome(changes: Partial<Welcome> = {}): Heard {
  const payload = { user_id: "guest:1", server_time: 1000, protocol: 1, region: "local", sessions: [], ...changes };
  return { name: "welcome", payload };
}

export function ownAnswer(changes: Partial<OwnAnswer> = {}): Heard {
  const reason = "right: 100, for speed: 49";
  const receipt = { arrived_at: 2000, lag_credit_ms: 0, judged_at: 2000, points: 149, reason };
  const payload: OwnAnswer = {
    question_id: 1,
    player: "you",
    session_id: ID,
    correct: true,
    correct_option: 2,
    points: 149,
    score: 149,
    receipt,
    version: 4,
    ...changes,
  };
  return { name: "answer_submitted", payload };
}

export function opponentAnswer(changes: Partial<OpponentAnswer> = {}): Heard {
  const payload: OpponentAnswer = {
    question_id: 1,
    player: "opponent",
    session_id: ID,
    answered: 1,
    score: 140,
    version: 4,
    ...changes,
  };
  return { name: "answer_submitted", payload };
}

function asked(id: number, correct_option: number, yours: [number, number], theirs: [number, number]): QuestionResult {
  const [your_answer, your_points] = yours;
  const [opponent_answer, opponent_points] = theirs;
  return { id, correct_option, your_answer, opponent_answer, your_points, opponent_points, receipt: null };
}

export function results(changes: Partial<QuizResults> = {}): QuizResults {
  return {
    session_id: ID,
    your_score: 149,
    opponent_score: 140,
    your_accuracy: { right: 1, answered: 2, of: 2 },
    opponent_accuracy: { right: 1, answered: 2, of: 2 },
    outcome: "won",
    reason: "all_answered",
    questions: [asked(1, 2, [2, 149], [2, 140]), asked(2, 0, [1, 0], [3, 0])],
    opponent: { display_name: "Ben", kind: "player" },
    version: 8,
    series: { you: 1, opponent: 0 },
    ...changes,
  };
}

export function heard<Name extends EventName>(name: Name, payload: Payload<Name>): News {
  return { type: "heard", event: { name, payload } as Heard };
}

export function after(snapshot: Snapshot, ...news: (News | Heard)[]): Snapshot {
  const events = news.map((one): News => ("type" in one ? one : { type: "heard", event: one }));
  return events.reduce(reduce, snapshot);
}

/** Somebody who is online, in a match as `changes` say. */
export function playing(changes: Partial<QuizState> = {}): Snapshot {
  const begun = after(initialSnapshot(), { type: "connecting" }, welcome(), { type: "opening", session_id: ID });
  return after(begun, heard("quiz_state", state(changes)));
}

export function matchOf(snapshot: Snapshot): Match {
  if (snapshot.match === null) throw new Error("there is no match");
  return snapshot.match;
}
