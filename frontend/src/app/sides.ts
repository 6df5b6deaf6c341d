/** A match as two sides of a score: pure. */

import type { Match } from "@pairquiz/client";
import type { Pip, Side } from "../parts/Duel.tsx";
import { texts } from "../texts.ts";

/** What the opponent is called. */
export function rivalName(match: Match): string {
  return match.opponent?.display_name ?? match.results?.opponent.display_name ?? texts.somebody;
}

/** One's own side. `now` is the index of the question that one looks at. */
export function yourSide(match: Match, now: number | null = null): Side {
  const pips = each(match, (index): Pip => {
    const question = match.questions[index];
    const answer = question && match.your_answers[String(question.id)];
    if (answer) return answer.correct ? "right" : "wrong";
    if (isPast(match, index)) return "missed";
    return index === now ? "now" : "open";
  });
  return { name: texts.you, score: points(match, match.your_score), pips };
}

/** The opponent's side: what is right and wrong of it is known of rounds that are closed, and at the end. */
export function rivalSide(match: Match): Side {
  const answered = match.opponent?.answered ?? 0;
  const pips = each(match, (index): Pip => {
    const result = match.results?.questions[index] ?? match.closed_rounds.find((round) => round.index === index);
    if (result) {
      if (result.opponent_answer === null) return "missed";
      return result.opponent_answer === result.correct_option ? "right" : "wrong";
    }
    const before = match.pace === "rounds" ? match.closed_rounds.filter((round) => round.opponent_answer !== null).length : 0;
    const isDone = match.pace === "rounds" ? answered > before && index === match.round?.index : index < answered;
    return isDone ? "done" : "open";
  });
  return {
    name: rivalName(match),
    score: points(match, match.opponent?.score ?? match.results?.opponent_score ?? 0),
    pips,
    isAway: match.opponent?.connected === false,
    isGhost: match.ghost,
  };
}

function each(match: Match, pip: (index: number) => Pip): Pip[] {
  return Array.from({ length: match.question_count }, (_, index) => pip(index));
}

/** Whether a question can be answered no more. */
function isPast(match: Match, index: number): boolean {
  return match.results !== null || match.closed_rounds.some((round) => round.index === index);
}

function points(match: Match, score: number): number | null {
  return match.scoring === "practice" ? null : score;
}
