/** How it went: who has won and why, question by question, and what comes next. */

import { useState } from "react";
import type { ChallengeCreated, Match, QuizResults, ReportReason } from "@pairquiz/client";
import { rivalName, rivalSide, yourSide } from "../app/sides.ts";
import { headline, race, story } from "../app/story.ts";
import { BlockOpponent } from "../parts/BlockOpponent.tsx";
import { Dare } from "../parts/Dare.tsx";
import { Duel } from "../parts/Duel.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Link } from "../parts/Link.tsx";
import { RaceChart } from "../parts/RaceChart.tsx";
import { RatingNews } from "../parts/RatingNews.tsx";
import { Rematch } from "../parts/Rematch.tsx";
import { Report } from "../parts/Report.tsx";
import { ResultQuestion } from "../parts/ResultQuestion.tsx";
import { texts } from "../texts.ts";

interface Props {
  match: Match;
  results: QuizResults;
  now: () => number;
  challenge: ChallengeCreated | null;
  onRematch: () => void;
  onDare: () => void;
  onReport: (questionId: number, reason: ReportReason, note: string) => void;
  onBlock: (block: boolean) => Promise<boolean>;
}

export function Results({ match, results, now, challenge, onRematch, onDare, onReport, onBlock }: Props) {
  const words = texts.results;
  const name = rivalName(match);
  const [reported, setReported] = useState<number | null>(null);
  const title = headline(results, name);
  const hasPoints = match.scoring !== "practice";
  const reportedQuestion = match.questions.find((question) => question.id === reported);
  return (
    <main id="content" className="screen wide results">
      <header className={`result-head ${results.outcome}`}>
        <Heading title={title} className="display" step={match.session_id}>
          <span dir="auto">{title}</span>
        </Heading>
        <p className="quiet story" dir="auto">
          {story(results, name).join(" ")}
        </p>
      </header>
      <div className="columns">
        <div className="stack">
          <Duel you={yourSide(match)} opponent={rivalSide(match)} ticker={accuracies(results)} />
          {hasPoints && results.questions.length > 1 && <RaceChart race={race(results)} name={name} />}
          <RatingNews change={match.rating_change} />
          <Rematch match={match} name={name} now={now} onAsk={onRematch} />
          <Link to={{ name: "play" }} className="key full">
            {words.another}
          </Link>
        </div>
        <div className="stack aside">
          <section className="stack" aria-labelledby="questions">
            <h2 id="questions">{words.questions}</h2>
            <ol className="result-questions">
              {results.questions.map((result, index) => {
                const question = match.questions.find((each) => each.id === result.id);
                return question === undefined ? null : (
                  <ResultQuestion
                    key={result.id}
                    number={index + 1}
                    question={question}
                    result={result}
                    rival={name}
                    hasPoints={hasPoints}
                    onReport={() => setReported(result.id)}
                  />
                );
              })}
            </ol>
          </section>
          {!match.ghost && results.your_accuracy.answered > 0 && results.reason !== "you_left" && (
            <Dare topic={match.topic} score={results.your_score} challenge={challenge} onMake={onDare} />
          )}
          {!match.ghost && <BlockOpponent onBlock={onBlock} />}
        </div>
      </div>
      {reportedQuestion !== undefined && (
        <Report
          question={reportedQuestion.text}
          onClose={() => setReported(null)}
          onSend={(reason, note) => {
            setReported(null);
            onReport(reportedQuestion.id, reason, note);
          }}
        />
      )}
    </main>
  );
}

function accuracies({ your_accuracy: yours, opponent_accuracy: theirs }: QuizResults) {
  return (
    <span className="accuracies">
      <span>{texts.results.accuracy(yours.right, yours.of)}</span>
      <span>{texts.results.accuracy(theirs.right, theirs.of)}</span>
    </span>
  );
}
