// What a page asks of a match on each screen.
import type { QuestionView } from "./contract.js";
import type { Match } from "./snapshot.js";

/** The question to answer now; null while there is none, or while its answer is on its way. */
export function openQuestion(match: Match): QuestionView | null {
  if (match.status !== "in_progress" || match.you_completed) return null;
  const isOpen = ({ id }: QuestionView) => !(String(id) in match.your_answers) && !(String(id) in match.pending);
  if (match.pace === "free") return match.questions.find(isOpen) ?? null;
  const asked = match.round && match.round.closes_at !== null ? match.questions[match.round.index] : undefined;
  return asked && isOpen(asked) ? asked : null;
}

/** Until when answers count: the whole match in free pace, the round that is open in rounds; null without a clock. */
export function closesAt(match: Match): number | null {
  if (match.status !== "in_progress") return null;
  return match.pace === "free" ? match.deadline_at : (match.round?.closes_at ?? null);
}

/** Whether players are still bound to it. */
export function isLive(match: Match): boolean {
  return match.status === "waiting" || match.status === "ready" || match.status === "in_progress";
}
