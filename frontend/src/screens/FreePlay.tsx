/** A duel in which each goes through the questions at their own pace. */

import { useEffect, useEffectEvent, useState } from "react";
import type { Match } from "@pairquiz/client";
import { useVerdictHeard } from "../app/heard.ts";
import { nextOpen, openCount } from "../app/questions.ts";
import { rivalName, rivalSide, yourSide } from "../app/sides.ts";
import { Countdown } from "../parts/Countdown.tsx";
import { Duel } from "../parts/Duel.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Options } from "../parts/Options.tsx";
import { QuestionHead } from "../parts/QuestionHead.tsx";
import { Ticker } from "../parts/Ticker.tsx";
import { Verdict } from "../parts/Verdict.tsx";
import { texts } from "../texts.ts";
import { Done } from "./Done.tsx";

/** Milliseconds for which an answer's verdict stands before the next question; Enter or a press is quicker. */
const VERDICT_MS = 1600;

interface Props {
  match: Match;
  isOnline: boolean;
  now: () => number;
  onAnswer: (questionId: number, option: number) => void;
  onLeave: () => void;
}

export function FreePlay({ match, isOnline, now, onAnswer, onLeave }: Props) {
  const [shownId, show] = useState(() => nextOpen(match, -1));
  const index = match.questions.findIndex((question) => question.id === shownId);
  const question = match.questions[index];
  const answer = question && match.your_answers[String(question.id)];
  const pending = question && match.pending[String(question.id)];
  const isTaken = answer !== undefined || pending !== undefined;

  const goOn = () => show(nextOpen(match, index));
  const goOnByItself = useEffectEvent(goOn);
  const isJudged = answer !== undefined;
  useEffect(() => {
    if (!isJudged) return;
    const timer = window.setTimeout(goOnByItself, VERDICT_MS);
    return () => window.clearTimeout(timer);
  }, [isJudged, shownId]);
  useVerdictHeard(answer, question, match.scoring);

  const deadline = match.deadline_at;
  return (
    <main id="content" className="screen play">
      <Duel you={yourSide(match, index)} opponent={rivalSide(match)} ticker={<Ticker match={match} now={now} />} />
      <div className="countdown-place">
        {deadline !== null && match.results === null && (
          <Countdown endsAt={deadline} spanMs={match.question_count * match.time_limit * 1000} now={now} />
        )}
      </div>
      {question === undefined ? (
        <Done match={match} onLeave={onLeave} />
      ) : (
        <section className="question">
          <QuestionHead number={index + 1} of={match.question_count} difficulty={question.difficulty} onLeave={onLeave} />
          <Heading title={texts.duel.question(index + 1, match.question_count)} step={question.id}>
            <span dir="auto" lang={question.lang}>
              {question.text}
            </span>
          </Heading>
          <Options
            key={question.id}
            options={question.options}
            lang={question.lang}
            rival={rivalName(match)}
            choice={{ mine: answer?.answer ?? picked(pending), correct: answer?.correct_option ?? null }}
            isOpen={!isTaken && match.results === null}
            points={answer && match.scoring !== "practice" ? answer.points : null}
            onChoose={(option) => onAnswer(question.id, option)}
          />
          <Verdict
            answer={answer}
            isPending={pending !== undefined}
            isOnline={isOnline}
            onNext={isTaken ? goOn : null}
            nextLabel={openCount(match) > 0 ? texts.duel.next : texts.duel.toEnd}
            onLater={!isTaken && openCount(match) > 1 ? goOn : null}
          />
        </section>
      )}
    </main>
  );
}

function picked(pending: number | string | undefined): number | null {
  return typeof pending === "number" ? pending : null;
}
