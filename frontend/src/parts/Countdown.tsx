/** Time that runs out: a bar that shrinks by itself, the seconds beside it, and a word to a screen reader now and then. */

import { useEffect, useRef } from "react";
import { useAnnounce } from "../app/announce.tsx";
import { calm } from "../app/motion.ts";
import { secondsLeft, useSecondsLeft } from "../app/clock.ts";
import { texts } from "../texts.ts";

const SAID_AT = [60, 30, 10, 5];
const HURRY_S = 10;

interface Props {
  /** When it is over, by the server's clock. */
  endsAt: number;
  /** How long all of it is, in milliseconds. */
  spanMs: number;
  now: () => number;
}

export function Countdown({ endsAt, spanMs, now }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const seconds = useSecondsLeft(endsAt, now);
  const isShort = seconds <= HURRY_S;

  useEffect(() => {
    const element = bar.current;
    const leftMs = Math.max(0, endsAt - now());
    if (element === null) return;
    const share = Math.min(1, leftMs / spanMs);
    const steps = calm() ? `steps(${Math.max(1, secondsLeft(endsAt, now()))})` : "linear";
    const run = element.animate([{ transform: `scaleX(${share})` }, { transform: "scaleX(0)" }], {
      duration: leftMs,
      easing: steps,
      fill: "forwards",
    });
    return () => run.cancel();
  }, [endsAt, spanMs, now]);

  useWarnings(seconds, spanMs);
  return (
    <div className={isShort ? "countdown short" : "countdown"} role="timer" aria-label={texts.duel.timeLeft}>
      <div className="countdown-track" aria-hidden="true">
        <div className="countdown-bar" ref={bar} />
      </div>
      <span className="number" aria-hidden="true">
        {clockFace(seconds)}
      </span>
    </div>
  );
}

/** Says how much time is left at a few moments: a word each second would drown everything else. */
function useWarnings(seconds: number, spanMs: number): void {
  const announce = useAnnounce();
  useEffect(() => {
    if (seconds === 0) announce(texts.duel.timeUp);
    else if (SAID_AT.includes(seconds) && seconds * 1000 < spanMs * 0.75) announce(texts.duel.timeHeard(seconds));
  }, [seconds, spanMs, announce]);
}

function clockFace(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
