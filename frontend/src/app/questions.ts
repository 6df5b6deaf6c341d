/** Which question comes next, in a match in which each goes their own way: pure. */

import type { Match } from "@pairquiz/client";

/** Whether a question still waits for one's own answer; one that is on its way does not. */
export function isOpen(match: Match, questionId: number): boolean {
  const key = String(questionId);
  return !(key in match.your_answers) && !(key in match.pending);
}

/** The next open question after a place in the list, from the beginning again behind its end; null where none is left. */
export function nextOpen(match: Match, after: number): number | null {
  const { questions } = match;
  const inTurn = [...questions.slice(after + 1), ...questions.slice(0, after + 1)];
  return inTurn.find((question) => isOpen(match, question.id))?.id ?? null;
}

/** How many questions are still open. */
export function openCount(match: Match): number {
  return match.questions.filter((question) => isOpen(match, question.id)).length;
}
