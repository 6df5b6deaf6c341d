/** A duel that runs, in its pace. */

import type { Match } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useEffect, useState } from "react";
import { AskToLeave } from "../parts/Ask.tsx";
import { FreePlay } from "../screens/FreePlay.tsx";
import { RoundPlay } from "../screens/RoundPlay.tsx";
import { texts } from "../texts.ts";
import { useSay } from "./saying.tsx";

export function PlayingPage({ match }: { match: Match }) {
  const { client, connection } = usePairQuiz();
  const [isLeaving, setLeaving] = useState(false);
  useDelayTold();
  const play = {
    match,
    now: client.now,
    onAnswer: (questionId: number, option: number) => void client.answer(questionId, option),
    onLeave: () => setLeaving(true),
  };
  return (
    <>
      {match.pace === "rounds" ? (
        <RoundPlay {...play} />
      ) : (
        <FreePlay {...play} isOnline={connection.status === "online"} />
      )}
      {isLeaving && (
        <AskToLeave
          onLeave={() => {
            setLeaving(false);
            void client.leave();
          }}
          onStay={() => setLeaving(false)}
        />
      )}
    </>
  );
}

/** Tells that the clock has moved, where the server was away. */
function useDelayTold(): void {
  const { client } = usePairQuiz();
  const say = useSay();
  useEffect(() => client.onEvent(({ name }) => name === "session_delayed" && say(texts.duel.delayed)), [client, say]);
}
