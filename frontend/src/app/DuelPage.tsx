/** `/pair-quiz/{session_id}`: one duel, at whatever step it is. */

import type { Match, Refusal } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useState } from "react";
import { Invited } from "../screens/Invited.tsx";
import { Loading } from "../screens/Loading.tsx";
import { Over } from "../screens/Over.tsx";
import { Ready } from "../screens/Ready.tsx";
import { Waiting } from "../screens/Waiting.tsx";
import { texts } from "../texts.ts";
import { failureText } from "./failures.ts";
import { useResultsShown } from "./linger.ts";
import { PlayingPage } from "./PlayingPage.tsx";
import { ResultsPage } from "./ResultsPage.tsx";
import { go } from "./route.ts";

export function DuelPage({ sessionId }: { sessionId: string }) {
  const { match, client } = usePairQuiz();
  const [failure, setFailure] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isHere = match?.session_id === sessionId;
  useEffect(() => {
    if (client.getSnapshot().match?.session_id === sessionId) return;
    let isWanted = true;
    void client.look(sessionId).then((outcome) => {
      if (isWanted && !outcome.ok) setFailure(outcome.error);
    });
    return () => {
      isWanted = false;
    };
  }, [client, sessionId]);

  if (isHere) return <Step match={match} />;
  if (failure === null) return <Loading />;
  if (failure.code === "not_a_player") {
    const join = async () => {
      setBusy(true);
      const outcome = await client.join({ session_id: sessionId });
      setBusy(false);
      if (!outcome.ok) setFailure(outcome.error);
    };
    return <Invited to="duel" isBusy={isBusy} onTake={() => void join()} />;
  }
  const words = texts.missing;
  if (failure.code === "session_full") return <Over heading={words.full} text={words.fullText} />;
  return <Over heading={words.heading} text={failure.code === "not_found" ? words.text : failureText(failure)} />;
}

function Step({ match }: { match: Match }) {
  const { client } = usePairQuiz();
  const areResultsShown = useResultsShown(match);
  const leave = async () => {
    await client.leave();
    client.dismiss();
    go({ name: "play" });
  };
  switch (match.status) {
    case "waiting":
      return <Waiting match={match} onWithdraw={() => void leave()} />;
    case "ready":
      return <Ready match={match} now={client.now} onStart={() => void client.start()} onLeave={() => void leave()} />;
    case "in_progress":
      return <PlayingPage match={match} />;
    case "completed":
      if (match.results === null) return <Loading />;
      return areResultsShown ? <ResultsPage match={match} results={match.results} /> : <PlayingPage match={match} />;
    default:
      return <Over heading={endOf(match)} text={texts.over.text} />;
  }
}

function endOf({ end, status }: Match): string {
  const words = texts.over;
  if (end === "nobody_joined" || end === "never_started" || end === "both_absent" || end === "operator") {
    return words[end];
  }
  return status === "abandoned" ? words.abandoned : words.expired;
}
