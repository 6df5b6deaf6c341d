/** What the last answer came to, and the way on. Its place is always there, so that nothing moves. */

import { useEffect, useEffectEvent } from "react";
import type { LockedAnswer } from "@pairquiz/client";
import { texts } from "../texts.ts";

interface Props {
  answer: LockedAnswer | undefined;
  isPending: boolean;
  isOnline: boolean;
  /** Goes on to the next question, where that is possible. */
  onNext: (() => void) | null;
  nextLabel: string;
  /** Leaves the question for later, where that is possible. */
  onLater: (() => void) | null;
}

export function Verdict({ answer, isPending, isOnline, onNext, nextLabel, onLater }: Props) {
  const words = texts.duel;
  useEnter(onNext);
  return (
    <div className="verdict">
      {answer !== undefined && (
        <strong className={answer.correct ? "right" : "wrong"}>{answer.correct ? words.right : words.wrong}</strong>
      )}
      {isPending && <span className="quiet note">{isOnline ? words.sending : words.kept}</span>}
      {answer === undefined && !isPending && <span className="quiet small keys-hint">{words.keys}</span>}
      {onNext !== null && (
        <button type="button" className="key" onClick={onNext}>
          {nextLabel}
        </button>
      )}
      {onLater !== null && (
        <button type="button" className="plain" onClick={onLater} title={words.laterHint}>
          {words.later}
        </button>
      )}
    </div>
  );
}

/** Enter goes on, wherever the focus is: it mostly is on the answer that was just given. */
function useEnter(onNext: (() => void) | null): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const isElsewhere = event.target instanceof Element && event.target.matches("input, a, button:not(.option)");
    if (event.key !== "Enter" || event.repeat || isElsewhere || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    onNext?.();
  });
  const isPossible = onNext !== null;
  useEffect(() => {
    if (!isPossible) return;
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [isPossible]);
}
