/** `/pair-quiz/challenge/{code}`: somebody dares whoever opens it. */

import type { Refusal } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useState } from "react";
import { Invited } from "../screens/Invited.tsx";
import { Over } from "../screens/Over.tsx";
import { texts } from "../texts.ts";
import { failureText } from "./failures.ts";

export function ChallengePage({ code }: { code: string }) {
  const { client } = usePairQuiz();
  const [failure, setFailure] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const words = texts.missing;
  if (failure?.code === "not_found") return <Over heading={words.challenge} text={words.challengeText} />;
  if (failure !== null) return <Over heading={words.challenge} text={failureText(failure, "accept_challenge")} />;
  const accept = async () => {
    setBusy(true);
    const outcome = await client.acceptChallenge(code);
    setBusy(false);
    if (!outcome.ok) setFailure(outcome.error);
  };
  return <Invited to="challenge" isBusy={isBusy} onTake={() => void accept()} />;
}
