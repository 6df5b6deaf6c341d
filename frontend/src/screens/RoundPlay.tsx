/** A duel in rounds: both see the same question at the same moment, then what both made of it. */

import type { Match, QuestionView, RoundResult } from "@pairquiz/client";
import { useReached } from "../app/clock.ts";
import { useRoundHeard, useVerdictHeard } from "../app/heard.ts";
import { rivalName, rivalSide, yourSide } from "../app/sides.ts";
import { Countdown } from "../parts/Countdown.tsx";
import { Duel } from "../parts/Duel.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Options } from "../parts/Options.tsx";
import { QuestionHead } from "../parts/QuestionHead.tsx";
import { Ticker } from "../parts/Ticker.tsx";
import { texts } from "../texts.ts";

interface Props {
  match: Match;
  now: () => number;
  onAnswer: (questionId: number, option: number) => void;
  onLeave: () => void;
}

export function RoundPlay({ match, now, onAnswer, onLeave }: Props) {
  const { round } = match;
  const isOver = round === null || round.closes_at === null;
  const isRevealed = useReached(round?.reveal_at ?? 0, now);
  const last = match.closed_rounds.at(-1);
  const closed = isOver ? last : undefined;
  const index = closed?.index ?? round?.index ?? 0;
  const question = match.questions[index];
  return (
    <main id="content" className="screen play">
      <Duel
        you={yourSide(match, closed === undefined ? index : null)}
        opponent={rivalSide(match)}
        ticker={<Ticker match={match} now={now} />}
      />
      <div className="countdown-place">
        {round !== null && round.closes_at !== null && isRevealed && (
          <Countdown endsAt={round.closes_at} spanMs={match.time_limit * 1000} now={now} />
        )}
      </div>
      {question !== undefined && (closed !== undefined || isRevealed) ? (
        <Round match={match} index={index} question={question} closed={closed} onAnswer={onAnswer} onLeave={onLeave} />
      ) : (
        <section className="question">
          <QuestionHead number={index + 1} of={match.question_count} onLeave={onLeave} />
          <Heading title={texts.rounds.getReady} step="ready">
            {texts.rounds.getReady}
          </Heading>
        </section>
      )}
    </main>
  );
}

interface RoundProps {
  match: Match;
  index: number;
  question: QuestionView;
  /** What both made of it, once that is known. */
  closed: RoundResult | undefined;
  onAnswer: (questionId: number, option: number) => void;
  onLeave: () => void;
}

function Round({ match, index, question, closed, onAnswer, onLeave }: RoundProps) {
  const name = rivalName(match);
  const answer = match.your_answers[String(question.id)];
  const pending = match.pending[String(question.id)];
  const hasPoints = match.scoring !== "practice";
  useVerdictHeard(closed === undefined ? answer : undefined, question, match.scoring);
  useRoundHeard(closed, question);
  return (
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
        rival={name}
        choice={{
          mine: closed?.your_answer ?? answer?.answer ?? (typeof pending === "number" ? pending : null),
          theirs: closed?.opponent_answer ?? null,
          correct: closed?.correct_option ?? answer?.correct_option ?? null,
        }}
        isOpen={closed === undefined && answer === undefined && pending === undefined}
        points={hasPoints ? (closed?.your_points ?? answer?.points ?? null) : null}
        onChoose={(option) => onAnswer(question.id, option)}
      />
      <div className="verdict">
        <RoundLine match={match} name={name} closed={closed} isAnswered={answer !== undefined || pending !== undefined} />
      </div>
    </section>
  );
}

interface LineProps {
  match: Match;
  name: string;
  closed: RoundResult | undefined;
  isAnswered: boolean;
}

function RoundLine({ match, name, closed, isAnswered }: LineProps) {
  const words = texts.rounds;
  if (closed === undefined) {
    if (!isAnswered) return <span className="quiet small keys-hint">{texts.duel.keys}</span>;
    return <bdi className="quiet">{words.waitFor(name)}</bdi>;
  }
  const missing = [
    closed.your_answer === null ? words.youNone : null,
    closed.opponent_answer === null ? words.none(name) : null,
  ].filter((line) => line !== null);
  return (
    <>
      <bdi className="note">{missing.join(" · ")}</bdi>
      <span className="quiet note">{match.round?.next_at == null ? words.end : words.next}</span>
    </>
  );
}
