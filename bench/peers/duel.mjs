// The rules of a duel in memory, as small as they can be: what both servers on Node have in common.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";

const bank = JSON.parse(readFileSync(new URL("../../pairquiz_server/starter/general.json", import.meta.url))).questions
  .map(({ text, options, correct, explanation }, index) => ({ id: index + 1, text, options, correct, explanation }));

export class Refused extends Error {}

export function guest() {
  return { user_id: `guest:${randomUUID()}`, name: "Guest" };
}

export function welcome(player) {
  return { user_id: player.user_id, server_time: Date.now(), protocol: 1, region: "local", sessions: [] };
}

export class Match {
  constructor(creator, { topic = "General", question_count: count = 5, time_limit: limit = 30 }) {
    this.id = randomUUID();
    this.topic = topic;
    this.count = Math.min(count, bank.length);
    this.limit = limit;
    this.version = 1;
    this.seats = [{ player: creator, score: 0, answers: [] }];
    this.status = "waiting_for_opponent";
  }

  created() {
    return {
      session_id: this.id, topic: this.topic, join_url: `/pair-quiz/${this.id}`, join_code: "6RKFB6XZ",
      status: this.status, version: this.version,
    };
  }

  join(player) {
    if (this.seats.length === 2) throw new Refused("Session is full");
    this.seats.push({ player, score: 0, answers: [] });
    this.status = "ready_to_start";
    this.version += 1;
  }

  joined(player) {
    const opponent = this.seats.find((seat) => seat.player !== player).player;
    return {
      session_id: this.id, status: this.status, opponent: { display_name: opponent.name, connected: true },
      version: this.version,
    };
  }

  start() {
    if (this.status !== "ready_to_start") throw new Refused("wrong state");
    const from = Math.floor(Math.random() * bank.length);
    this.questions = Array.from({ length: this.count }, (_, index) => bank[(from + index) % bank.length]);
    this.status = "in_progress";
    this.startedAt = Date.now();
    this.version += 1;
  }

  started() {
    return {
      session_id: this.id,
      questions: this.questions.map(({ id, text, options }) => ({ id, text, options, kind: "single_choice", lang: "en" })),
      time_limit: this.limit, started_at: this.startedAt,
      deadline_at: this.startedAt + this.limit * 1000 * this.count, pace: "free", version: this.version,
    };
  }

  // Judge an answer. Returns what is kept of it; its sender and the opponent are told of it by `own` and `shown`.
  answer(player, { question_id: questionId, answer: chosen }) {
    const seat = this.seats.find((one) => one.player === player);
    const question = this.questions?.find((one) => one.id === questionId);
    if (!seat || !question || this.status !== "in_progress") throw new Refused("wrong state");
    if (seat.answers.some((one) => one.question === question)) throw new Refused("already answered");
    const correct = chosen === question.correct;
    const at = Date.now();
    const kept = { seat, question, chosen, correct, points: correct ? 150 : 0, at };
    seat.answers.push(kept);
    seat.score += kept.points;
    kept.score = seat.score;
    kept.answered = seat.answers.length;
    kept.version = this.version += 1;
    if (this.seats.every((one) => one.answers.length === this.count)) this.status = "completed";
    return kept;
  }

  own({ question, correct, points, score, version, at }) {
    return {
      ok: true, question_id: question.id, player: "you", session_id: this.id, correct, correct_option: question.correct,
      points, score, receipt: receipt(points, at), version,
    };
  }

  shown({ question, answered, score, version }) {
    return { question_id: question.id, player: "opponent", session_id: this.id, answered, score, version };
  }

  results(player) {
    const mine = this.seats.find((seat) => seat.player === player);
    const theirs = this.seats.find((seat) => seat.player !== player);
    const difference = mine.score - theirs.score;
    return {
      session_id: this.id, your_score: mine.score, opponent_score: theirs.score,
      outcome: difference > 0 ? "won" : difference < 0 ? "lost" : "draw", reason: "all_answered",
      questions: this.questions.map((question) => {
        const [own, other] = [mine, theirs].map((seat) => seat.answers.find((one) => one.question === question));
        return {
          id: question.id, correct_option: question.correct, your_answer: own.chosen, opponent_answer: other.chosen,
          your_points: own.points, opponent_points: other.points, receipt: receipt(own.points, own.at),
          explanation: question.explanation,
        };
      }),
      opponent: { display_name: theirs.player.name }, version: this.version + 1,
    };
  }
}

function receipt(points, at) {
  return {
    arrived_at: at, lag_credit_ms: 0, judged_at: at, points, reason: points ? "right: 100, for speed: 50" : "wrong: 0",
  };
}
