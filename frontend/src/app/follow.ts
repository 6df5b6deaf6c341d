/** The address bar follows the match: whoever is brought into one is where it is, and finds it there after a reload. */

import { isOver } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useRef } from "react";
import { go, type Route } from "./route.ts";

export function useFollowed(route: Route): void {
  const { match, opening, client } = usePairQuiz();
  const current = opening?.session_id ?? match?.session_id ?? null;
  const last = useRef(current);
  useEffect(() => {
    // Only a change leads there: who has gone elsewhere meanwhile, or has opened another link, is left alone.
    if (current === last.current) return;
    last.current = current;
    if (current === null) return;
    go({ name: "duel", sessionId: current }, { replace: location.pathname.startsWith("/pair-quiz/challenge/") });
  }, [current]);

  const isDone = match !== null && isOver(match) && opening === null;
  useEffect(() => {
    if (isDone && route.name !== "duel") client.dismiss();
  }, [isDone, route.name, client]);
}
