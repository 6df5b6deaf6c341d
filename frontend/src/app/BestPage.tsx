/** `/#leaderboards`: lists of the best, by topic and period. */

import { usePairQuiz } from "@pairquiz/client/react";
import { useState } from "react";
import { Best, type Period } from "../screens/Best.tsx";
import { useFetched } from "./fetched.ts";

/** What the server calls the list of all topics together. */
const EVERY = "all";
const SHOWN = 50;

export function BestPage() {
  const { client } = usePairQuiz();
  const [topic, setTopic] = useState(EVERY);
  const [period, setPeriod] = useState<Period>("week");
  const topics = useFetched(() => client.api.topics(), "topics");
  const list = useFetched(() => client.api.leaderboard(topic, { period, limit: SHOWN }), `${period} ${topic}`);
  return (
    <Best
      topics={(topics?.topics ?? []).map((each) => each.name)}
      every={EVERY}
      topic={topic}
      period={period}
      list={list}
      onTopic={setTopic}
      onPeriod={setPeriod}
    />
  );
}
