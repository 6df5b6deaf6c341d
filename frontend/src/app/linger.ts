/** The last answer stays on screen for a moment, also where it ends the match: else nobody sees what became of it. */

import type { Match } from "@pairquiz/client";
import { useEffect, useRef, useState } from "react";

const AFTER_ANSWER_MS = 1600;
const AFTER_ROUND_MS = 2200;

/** Whether the results may take the place of the questions. At once, where the match was over when one came. */
export function useResultsShown(match: Match): boolean {
  const isOver = match.status === "completed";
  const [shownOf, setShownOf] = useState(isOver ? match.session_id : null);
  const answered = Object.keys(match.your_answers).length;
  const lastAnswer = useRef<number | null>(null);
  useEffect(() => {
    lastAnswer.current = answered > 0 ? performance.now() : null;
  }, [answered]);

  const { session_id: sessionId, pace, results } = match;
  const reason = results?.reason ?? null;
  useEffect(() => {
    if (reason === null || shownOf === sessionId) return;
    const sinceAnswer = lastAnswer.current === null ? Infinity : performance.now() - lastAnswer.current;
    const afterAnswer = pace === "rounds" ? AFTER_ROUND_MS : AFTER_ANSWER_MS - sinceAnswer;
    const isPlayedOut = reason === "all_answered" || reason === "deadline";
    const timer = window.setTimeout(() => setShownOf(sessionId), isPlayedOut ? Math.max(0, afterAnswer) : 0);
    return () => window.clearTimeout(timer);
  }, [reason, pace, sessionId, shownOf]);
  return shownOf === sessionId;
}
