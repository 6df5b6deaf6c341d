/** Spans by the server's clock, in whole seconds as people count them. */

import { useEffect, useState } from "react";

/** How many seconds are left, rounded up: it says 0 when it is over, and not before. */
export function secondsLeft(endsAt: number, now: number): number {
  return Math.max(0, Math.ceil((endsAt - now) / 1000));
}

/** The same, kept true while it is looked at. It wakes when the number changes, and not otherwise. */
export function useSecondsLeft(endsAt: number, now: () => number): number {
  const [seconds, setSeconds] = useState(() => secondsLeft(endsAt, now()));
  useEffect(() => {
    let timer = 0;
    const look = () => {
      const leftMs = endsAt - now();
      setSeconds(secondsLeft(endsAt, now()));
      if (leftMs > 0) timer = window.setTimeout(look, (leftMs % 1000) + 15);
    };
    look();
    return () => window.clearTimeout(timer);
  }, [endsAt, now]);
  return seconds;
}

/** Whether a moment has come, by the server's clock. */
export function useReached(moment: number, now: () => number): boolean {
  const [reached, setReached] = useState<number | null>(() => (now() >= moment ? moment : null));
  useEffect(() => {
    const timer = window.setTimeout(() => setReached(moment), Math.max(0, moment - now()));
    return () => window.clearTimeout(timer);
  }, [moment, now]);
  return reached === moment;
}

/** Seconds of a span that goes on: `elapsedMs` is what was last heard of it. */
export function useElapsed(elapsedMs: number): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const begun = performance.now() - elapsedMs;
    const look = () => setSeconds(Math.floor((performance.now() - begun) / 1000));
    look();
    const timer = window.setInterval(look, 1000);
    return () => window.clearInterval(timer);
  }, [elapsedMs]);
  return seconds;
}
