/** One question of a match that is over: what was right, what both said, and how one's own answer was judged. */

import type { QuestionResult, QuestionView, Receipt } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Icon } from "./Icon.tsx";
import { Name } from "./Name.tsx";

interface Props {
  number: number;
  question: QuestionView;
  result: QuestionResult;
  rival: string;
  hasPoints: boolean;
  onReport: () => void;
}

export function ResultQuestion({ number, question, result, rival, hasPoints, onReport }: Props) {
  const words = texts.results;
  const explanation = result.explanation ?? question.explanation;
  return (
    <li className="result-question">
      <h3 dir="auto" lang={question.lang}>
        {question.text}
      </h3>
      <dl className="result-answers">
        <Said
          who={words.yourAnswer}
          side="you"
          question={question}
          answer={result.your_answer}
          correct={result.correct_option}
          points={hasPoints ? result.your_points : null}
        />
        <Said
          who={rival}
          side="rival"
          question={question}
          answer={result.opponent_answer}
          correct={result.correct_option}
          points={hasPoints ? result.opponent_points : null}
        />
        {result.your_answer !== result.correct_option && result.opponent_answer !== result.correct_option && (
          <div className="said right-one">
            <dt>{words.rightAnswer}</dt>
            <dd dir="auto" lang={question.lang}>
              {question.options[result.correct_option]}
            </dd>
          </div>
        )}
      </dl>
      {explanation !== undefined && (
        <p className="note quiet" dir="auto" lang={question.lang}>
          {explanation}
        </p>
      )}
      <div className="result-foot">
        {result.receipt === null ? <span /> : <ReceiptOf receipt={result.receipt} />}
        <button type="button" className="plain small" onClick={onReport} aria-label={texts.report.openHeard(number)}>
          {texts.report.open}
        </button>
      </div>
    </li>
  );
}

interface SaidProps {
  who: string;
  side: "you" | "rival";
  question: QuestionView;
  answer: number | null;
  correct: number;
  points: number | null;
}

function Said({ who, side, question, answer, correct, points }: SaidProps) {
  const isRight = answer === correct;
  const look = answer === null ? "none" : isRight ? "right" : "wrong";
  return (
    <div className={`said ${look}`}>
      <dt>
        <span className={`dot ${side}`} />
        <span className="heard">
          <Name>{who}</Name>
        </span>
      </dt>
      <dd>
        <span className="said-mark">
          {answer !== null && <Icon name={isRight ? "check" : "cross"} />}
          {answer !== null && <span className="heard">{isRight ? texts.duel.right : texts.duel.wrong}: </span>}
        </span>
        <span dir="auto" lang={answer === null ? undefined : question.lang}>
          {answer === null ? texts.results.none : question.options[answer]}
        </span>
        {points !== null && <span className="said-points number">{texts.duel.points(points)}</span>}
      </dd>
    </div>
  );
}

/** The server's receipt for an answer. */
function ReceiptOf({ receipt }: { receipt: Receipt }) {
  const words = texts.results.receiptLines;
  return (
    <details className="receipt">
      <summary className="small">{texts.results.receipt}</summary>
      <dl className="small">
        <dt>{words.arrived}</dt>
        <dd className="number">{moment(receipt.arrived_at)}</dd>
        <dt>{words.credit}</dt>
        <dd className="number">{words.ms(receipt.lag_credit_ms)}</dd>
        <dt>{words.judged}</dt>
        <dd className="number">{moment(receipt.judged_at)}</dd>
        <dt>{words.reason}</dt>
        <dd>{receipt.reason}</dd>
      </dl>
    </details>
  );
}

function moment(ms: number): string {
  return new Date(ms).toLocaleTimeString(texts.language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  });
}
