/** Short notes over the page, to eyes and ears: what was done, and what was refused. */

import { usePairQuiz } from "@pairquiz/client/react";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { failureText } from "./failures.ts";

const STANDS_MS = 6000;
/** Refused where it is asked, a screen of its own says why. */
const SAID_ELSEWHERE = ["resume_pair_quiz", "accept_challenge"];

const Say = createContext<(text: string) => void>(() => undefined);

export function Saying({ children }: { children: ReactNode }) {
  const { problem, client } = usePairQuiz();
  const [said, setSaid] = useState<string | null>(null);
  const refused = problem === null || SAID_ELSEWHERE.includes(problem.command) ? null : failureText(problem, problem.command);
  const text = refused ?? said;
  useEffect(() => {
    if (problem === null && said === null) return;
    const timer = window.setTimeout(() => {
      setSaid(null);
      client.dismissProblem();
    }, STANDS_MS);
    return () => window.clearTimeout(timer);
  }, [problem, said, client]);
  return (
    <Say value={setSaid}>
      {children}
      <div role="alert">{text !== null && <p className="toast">{text}</p>}</div>
    </Say>
  );
}

/** What shows a note for a few seconds. */
export function useSay(): (text: string) => void {
  return useContext(Say);
}
