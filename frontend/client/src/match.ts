// One match, as the server's events change it. Pure: a match and an event → the match afterwards.
import type { OwnAnswer, QuizResults, QuizState, Receipt, RoundClosed, RoundResult } from "./contract.js";
import type { EventName, Heard } from "./news.js";
import type { LockedAnswer, Match } from "./snapshot.js";

/** The events that are about one match, and carry its version. */
const OF_A_MATCH: ReadonlySet<EventName> = new Set<EventName>([
  "opponent_joined",
  "quiz_started",
  "round_opened",
  "round_closed",
  "answer_submitted",
  "opponent_completed",
  "quiz_results",
  "opponent_disconnected",
  "opponent_reconnected",
  "opponent_left",
  "session_expired",
  "session_delayed",
  "quiz_state",
  "rematch_requested",
]);

export function isOver(match: Pick<Match, "status">): boolean {
  return match.status === "completed" || match.status === "abandoned" || match.status === "expired";
}

/** The session that an event is about; null where it is about none, or about a rating alone. */
export function sessionOf(event: Heard): string | null {
  if (!OF_A_MATCH.has(event.name)) return null;
  return (event.payload as { session_id: string }).session_id;
}

/** A match from its whole state, with what is known of it `before` and the state does not tell. */
export function fromState(state: QuizState, before: Match | null = null): Match {
  const match: Match = {
    session_id: state.session_id,
    join_url: `/pair-quiz/${state.session_id}`,
    join_code: state.join_code ?? null,
    topic: state.topic,
    status: state.status,
    pace: state.pace,
    scoring: state.scoring,
    question_count: state.question_count,
    time_limit: state.time_limit,
    starts_at: state.starts_at ?? null,
    started_at: state.started_at,
    deadline_at: state.deadline_at,
    questions: state.questions,
    your_answers: lockedAnswers(state, before),
    pending: without(before?.pending ?? {}, ...Object.keys(state.your_answers)),
    your_score: state.your_score,
    your_accuracy: state.your_accuracy,
    you_completed: (before?.you_completed ?? false) || state.your_accuracy.answered >= state.question_count,
    your_absence: state.your_absence ?? null,
    opponent: state.opponent,
    opponent_accuracy: state.opponent_accuracy ?? null,
    round: state.round ?? null,
    closed_rounds: state.closed_rounds ?? before?.closed_rounds ?? [],
    results: null,
    rating_change: before?.rating_change ?? null,
    end: before?.end ?? null,
    series: state.series ?? null,
    previous_session_id: state.previous_session_id ?? null,
    rematch: state.rematch ?? null,
    ghost: state.ghost ?? false,
    version: state.version,
    missed: false,
  };
  return state.results ? withResults(match, state.results) : match;
}

/** The match after an event of its own. A gap of versions is noted in `missed`; what is old changes nothing. */
export function afterEvent(match: Match, event: Heard, given?: number | string): Match {
  if (event.name === "quiz_state") {
    return event.payload.version < match.version ? match : fromState(event.payload, match);
  }
  if (!("version" in event.payload)) return match;
  const { version } = event.payload;
  if (version < match.version) {
    // An own answer that was told late is news all the same; the score that it tells is not.
    return event.name === "answer_submitted" && event.payload.player === "you"
      ? withOwnAnswer(match, event.payload, match.your_score, given)
      : match;
  }
  const changed = apply(match, event, given);
  return { ...changed, version, missed: changed.missed || version > match.version + 1 };
}

function apply(match: Match, event: Heard, given?: number | string): Match {
  switch (event.name) {
    case "opponent_joined": {
      const { opponent, starts_at, series } = event.payload;
      return {
        ...match,
        status: match.status === "waiting" ? "ready" : match.status,
        join_code: null,
        opponent: { answered: 0, score: 0, completed: false, ...match.opponent, ...opponent },
        starts_at: starts_at ?? match.starts_at,
        series: series ?? match.series,
      };
    }
    case "quiz_started": {
      const { questions, time_limit, started_at, deadline_at, pace, scoring } = event.payload;
      if (isOver(match)) return match;
      return {
        ...match,
        status: "in_progress",
        join_code: null,
        starts_at: null,
        questions: pace === "free" ? questions : match.questions,
        time_limit,
        started_at,
        deadline_at,
        pace,
        scoring,
      };
    }
    case "round_opened": {
      const { index, question, reveal_at, closes_at } = event.payload;
      const questions = match.questions.some((known) => known.id === question.id)
        ? match.questions
        : [...match.questions, question];
      return { ...match, questions, round: { index, reveal_at, closes_at, next_at: null } };
    }
    case "round_closed":
      return withClosedRound(match, event.payload);
    case "answer_submitted": {
      const answer = event.payload;
      if (answer.player === "you") return withOwnAnswer(match, answer, answer.score, given);
      const { answered, score } = answer;
      return match.opponent ? { ...match, opponent: { ...match.opponent, answered, score } } : match;
    }
    case "opponent_completed": {
      const { score } = event.payload;
      return match.opponent ? { ...match, opponent: { ...match.opponent, completed: true, score } } : match;
    }
    case "quiz_results":
      // The state that is asked for then tells whether a rematch can be had.
      return { ...withResults(match, event.payload), missed: true };
    case "opponent_disconnected": {
      if (!match.opponent) return match;
      const { reconnect_by: _, ...opponent } = match.opponent;
      const { cause, reconnect_by } = event.payload;
      return {
        ...match,
        opponent: { ...opponent, connected: false, cause, ...(reconnect_by === undefined ? {} : { reconnect_by }) },
      };
    }
    case "opponent_reconnected": {
      if (!match.opponent) return match;
      const { cause: _, reconnect_by: __, ...opponent } = match.opponent;
      return { ...match, opponent: { ...opponent, connected: true } };
    }
    case "opponent_left":
      // In a running match the results follow; one that had not begun is over with it.
      return match.status === "in_progress" || isOver(match)
        ? { ...match, end: match.end ?? "opponent_left" }
        : { ...match, status: "abandoned", starts_at: null, end: "opponent_left" };
    case "session_expired": {
      const { reason, by_operator } = event.payload;
      const status = by_operator || reason === "both_absent" ? "abandoned" : "expired";
      return { ...match, status, starts_at: null, join_code: null, round: null, end: by_operator ? "operator" : reason };
    }
    case "session_delayed": {
      const { delayed_ms, deadline_at, opponent_reconnect_by, round } = event.payload;
      return {
        ...match,
        starts_at: match.starts_at === null ? null : match.starts_at + delayed_ms,
        deadline_at,
        round: round ?? match.round,
        opponent:
          match.opponent && opponent_reconnect_by !== undefined
            ? { ...match.opponent, reconnect_by: opponent_reconnect_by }
            : match.opponent,
      };
    }
    case "rematch_requested":
      return match.rematch
        ? { ...match, rematch: { ...match.rematch, opponent: true } }
        : { ...match, missed: true };
    default:
      return match;
  }
}

function withOwnAnswer(match: Match, answer: OwnAnswer, score: number, given?: number | string): Match {
  const key = String(answer.question_id);
  const known = match.your_answers[key];
  const chosen = known?.answer ?? chosenOption(match, answer, given);
  const accuracy = match.your_accuracy;
  const your_accuracy = known
    ? accuracy
    : { ...accuracy, right: accuracy.right + Number(answer.correct), answered: accuracy.answered + 1 };
  const locked: LockedAnswer = {
    answer: chosen,
    correct: answer.correct,
    points: answer.points,
    correct_option: answer.correct_option,
    receipt: answer.receipt,
  };
  return {
    ...match,
    your_answers: { ...match.your_answers, [key]: locked },
    pending: without(match.pending, key),
    your_score: score,
    your_accuracy,
    you_completed: match.you_completed || your_accuracy.answered >= match.question_count,
    // Given in another window, and wrong: the state knows what it was.
    missed: match.missed || chosen === null,
  };
}

/**
 * Which option an own answer was: the server does not say it again to the one who has `given` it. One that waits here
 * may be another than the one that counts: of two that were given the first does, and another window may be quicker.
 */
function chosenOption(match: Match, answer: OwnAnswer, given?: number | string): number | null {
  if (typeof given === "number") return given;
  const options = match.questions.find((question) => question.id === answer.question_id)?.options ?? [];
  if (typeof given === "string") return options.indexOf(given);
  return answer.correct ? answer.correct_option : null;
}

function withClosedRound(match: Match, closed: RoundClosed): Match {
  const { index, question_id, correct_option, your_answer, opponent_answer, your_points, opponent_points } = closed;
  const result: RoundResult = {
    index,
    question_id,
    correct_option,
    your_answer,
    opponent_answer,
    your_points,
    opponent_points,
  };
  const key = String(question_id);
  const locked = lockedAnswer(your_answer, correct_option, your_points, match.your_answers[key]?.receipt ?? null);
  return {
    ...match,
    round: match.round && { ...match.round, index, closes_at: null, next_at: closed.next_at },
    closed_rounds: [...match.closed_rounds.filter((known) => known.index !== index), result],
    your_answers: locked ? { ...match.your_answers, [key]: locked } : match.your_answers,
    pending: without(match.pending, key),
    your_score: closed.your_score,
    opponent: match.opponent && { ...match.opponent, score: closed.opponent_score },
  };
}

function withResults(match: Match, results: QuizResults): Match {
  const answers = results.questions.flatMap((question) => {
    const { id, your_answer, correct_option, your_points, receipt } = question;
    const locked = lockedAnswer(your_answer, correct_option, your_points, receipt);
    return locked ? [[String(id), locked] as const] : [];
  });
  return {
    ...match,
    status: "completed",
    starts_at: null,
    round: null,
    pending: {},
    you_completed: true,
    your_answers: Object.fromEntries(answers),
    your_score: results.your_score,
    your_accuracy: results.your_accuracy,
    opponent_accuracy: results.opponent_accuracy,
    opponent: match.opponent && { ...match.opponent, score: results.opponent_score },
    results,
    series: results.series ?? match.series,
  };
}

function lockedAnswer(
  answer: number | null,
  correct_option: number,
  points: number,
  receipt: Receipt | null,
): LockedAnswer | null {
  return answer === null ? null : { answer, correct: answer === correct_option, points, correct_option, receipt };
}

/** The locked answers of a state; what was heard before of a right option stays known. */
function lockedAnswers(state: QuizState, before: Match | null): Record<string, LockedAnswer> {
  const closed = new Map(state.closed_rounds?.map((round) => [String(round.question_id), round.correct_option]));
  return Object.fromEntries(
    Object.entries(state.your_answers).map(([id, own]) => {
      const known = before?.your_answers[id];
      const correct_option = own.correct ? own.answer : (known?.correct_option ?? closed.get(id) ?? null);
      return [id, { ...own, correct_option, receipt: known?.receipt ?? null }];
    }),
  );
}

function without<T>(record: Readonly<Record<string, T>>, ...keys: string[]): Readonly<Record<string, T>> {
  return keys.some((key) => key in record)
    ? Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
    : record;
}
