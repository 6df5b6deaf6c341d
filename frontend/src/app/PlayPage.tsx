/** The first page: what to play, or the search for somebody. */

import { isLive, type Match, type Session } from "@pairquiz/client";
import { usePairQuiz } from "@pairquiz/client/react";
import { useState } from "react";
import { Home } from "../screens/Home.tsx";
import { Loading } from "../screens/Loading.tsx";
import { Searching } from "../screens/Searching.tsx";
import { useFetched } from "./fetched.ts";
import { go, type Invitation } from "./route.ts";
import { useTerms, type Terms } from "./terms.ts";

export function PlayPage() {
  const { client, search, sessions, match } = usePairQuiz();
  const [terms, setTerms] = useTerms();
  const [isBusy, setBusy] = useState(false);
  const topics = useFetched(() => client.api.topics(), "topics");
  const league = useFetched(() => client.api.leaderboard("all", { period: "week", limit: 5 }), "league");
  const chosen = withTopic(terms, topics?.topics.map((topic) => topic.name) ?? []);

  if (search !== null) {
    return (
      <Searching
        search={search}
        onGhost={() => void client.find({ ...search.wishes, accept_ghost: true })}
        onStop={() => void client.cancelFind()}
      />
    );
  }
  if (topics === null) return <Loading />;
  const invite = async () => {
    setBusy(true);
    await client.create(wishes(chosen));
    setBusy(false);
  };
  return (
    <Home
      topics={topics.topics}
      terms={chosen}
      sessions={withMatch(sessions, match)}
      league={league}
      isBusy={isBusy}
      onTerms={setTerms}
      onFind={() => void client.find({ ...wishes(chosen), accept_ghost: chosen.acceptGhost })}
      onInvite={() => void invite()}
      onJoin={(invitation) => {
        if ("joinCode" in invitation) void client.join({ join_code: invitation.joinCode });
        else follow(invitation);
      }}
    />
  );
}

function follow(invitation: Exclude<Invitation, { joinCode: string }>): void {
  if ("sessionId" in invitation) go({ name: "duel", sessionId: invitation.sessionId });
  else go({ name: "challenge", code: invitation.challengeCode });
}

/** The running duels, with the one that was opened since the server has told of them all. */
function withMatch(sessions: readonly Session[], match: Match | null): readonly Session[] {
  if (match === null || !isLive(match) || sessions.some((each) => each.session_id === match.session_id)) return sessions;
  return [match, ...sessions];
}

/** The terms with a topic that there is: the one that was chosen may have gone since. */
function withTopic(terms: Terms, names: readonly string[]): Terms {
  return names.includes(terms.topic) || names[0] === undefined ? terms : { ...terms, topic: names[0] };
}

function wishes({ topic, questionCount, timeLimit, pace, scoring }: Terms) {
  return { topic, question_count: questionCount, time_limit: timeLimit, pace, scoring };
}
