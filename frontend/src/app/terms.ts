/** What to play: topic, pace, points, how many questions and how long each, as last chosen in this browser. */

import { useState } from "react";
import { keep, kept } from "./memory.ts";

export const PACES = ["free", "rounds"] as const;
export const SCORINGS = ["speed_bonus", "accuracy", "negative", "difficulty", "practice"] as const;
export const COUNTS = [3, 5, 10, 15, 20] as const;
export const LIMITS = [10, 15, 20, 30, 60] as const;

export interface Terms {
  topic: string;
  pace: (typeof PACES)[number];
  scoring: (typeof SCORINGS)[number];
  questionCount: number;
  timeLimit: number;
  acceptGhost: boolean;
}

const KEY = "pairquiz.terms";
const USUAL: Terms = {
  topic: "General",
  pace: "free",
  scoring: "speed_bonus",
  questionCount: 5,
  timeLimit: 20,
  acceptGhost: true,
};

/** The terms, and what changes some of them. */
export function useTerms(): [Terms, (change: Partial<Terms>) => void] {
  const [terms, setTerms] = useState(() => readTerms(kept(KEY)));
  const change = (some: Partial<Terms>) => {
    const next = { ...terms, ...some };
    setTerms(next);
    keep(KEY, JSON.stringify(next));
  };
  return [terms, change];
}

/** Reads what was kept; whatever is not as it should be is as usual. */
export function readTerms(text: string | null): Terms {
  let found: Partial<Record<keyof Terms, unknown>> = {};
  try {
    const read: unknown = JSON.parse(text ?? "{}");
    if (typeof read === "object" && read !== null) found = read;
  } catch {
    // An older page, or somebody by hand: as usual.
  }
  return {
    topic: typeof found.topic === "string" && found.topic !== "" ? found.topic : USUAL.topic,
    pace: one(PACES, found.pace) ?? USUAL.pace,
    scoring: one(SCORINGS, found.scoring) ?? USUAL.scoring,
    questionCount: one(COUNTS, found.questionCount) ?? USUAL.questionCount,
    timeLimit: one(LIMITS, found.timeLimit) ?? USUAL.timeLimit,
    acceptGhost: typeof found.acceptGhost === "boolean" ? found.acceptGhost : USUAL.acceptGhost,
  };
}

function one<T>(choices: readonly T[], value: unknown): T | undefined {
  return choices.find((choice) => choice === value);
}
