/** The results, and what one can do from there. */

import type { ChallengeCreated, Match, QuizResults } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useState } from "react";
import { Results } from "../screens/Results.tsx";
import { texts } from "../texts.ts";
import { useSay } from "./saying.tsx";

export function ResultsPage({ match, results }: { match: Match; results: QuizResults }) {
  const { client } = usePairQuiz();
  const [challenge, setChallenge] = useState<ChallengeCreated | null>(null);
  const say = useSay();
  return (
    <Results
      match={match}
      results={results}
      now={client.now}
      challenge={challenge}
      onRematch={() => void client.requestRematch()}
      onDare={() => {
        void client.createChallenge().then((outcome) => outcome.ok && setChallenge(outcome));
      }}
      onReport={(questionId, reason, note) => {
        void client
          .reportQuestion(questionId, reason, note === "" ? undefined : note)
          .then((outcome) => outcome.ok && say(texts.report.sent));
      }}
      onBlock={async (block) => (await (block ? client.block() : client.unblock())).ok}
    />
  );
}
