/** What a screen reader hears of answers and rounds, as soon as they are judged. */

import { useEffect } from "react";
import type { LockedAnswer, QuestionView, RoundResult } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { useAnnounce } from "./announce.tsx";

/** Tells how an own answer was judged. */
export function useVerdictHeard(
  answer: LockedAnswer | undefined,
  question: QuestionView | undefined,
  scoring: string,
): void {
  const announce = useAnnounce();
  const words = texts.duel;
  let verdict: string | null = null;
  if (answer?.correct === true) verdict = scoring === "practice" ? words.rightPlain : words.rightHeard(answer.points);
  else if (answer !== undefined) verdict = words.wrongHeard(optionText(question, answer.correct_option));
  const id = question?.id;
  useEffect(() => {
    if (verdict !== null) announce(verdict);
  }, [verdict, id, announce]);
}

/** Tells what both made of a round. */
export function useRoundHeard(round: RoundResult | undefined, question: QuestionView | undefined): void {
  const announce = useAnnounce();
  const words = texts.rounds;
  const heard =
    round === undefined
      ? null
      : words.heard(
          optionText(question, round.correct_option),
          made(round.your_answer, round),
          made(round.opponent_answer, round),
        );
  useEffect(() => {
    if (heard !== null) announce(heard);
  }, [heard, announce]);
}

function made(answer: number | null, round: RoundResult): string {
  if (answer === null) return texts.results.none;
  return answer === round.correct_option ? texts.duel.right : texts.duel.wrong;
}

function optionText(question: QuestionView | undefined, index: number | null): string {
  return (index === null ? undefined : question?.options[index]) ?? "";
}
