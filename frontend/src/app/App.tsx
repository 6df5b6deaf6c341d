/** The frame around every screen, and which screen it is. */

import { usePairQuiz } from "@pairquiz/client/react";
import { Bar } from "../parts/Bar.tsx";
import { LineBanner } from "../parts/LineBanner.tsx";
import { Loading } from "../screens/Loading.tsx";
import { Over } from "../screens/Over.tsx";
import { Refused } from "../screens/Refused.tsx";
import { Unreachable } from "../screens/Unreachable.tsx";
import { texts } from "../texts.ts";
import { Announcer } from "./announce.tsx";
import { BestPage } from "./BestPage.tsx";
import { ChallengePage } from "./ChallengePage.tsx";
import { DuelPage } from "./DuelPage.tsx";
import { useFollowed } from "./follow.ts";
import { PlayPage } from "./PlayPage.tsx";
import { ProfilePage } from "./ProfilePage.tsx";
import { useRoute, type Route } from "./route.ts";
import { Saying } from "./saying.tsx";
import { useTheme } from "./theme.ts";

/** Attempts to reach a server that must have failed before the page says so. */
const PATIENCE = 2;

export function App() {
  const route = useRoute();
  const [theme, nextTheme] = useTheme();
  useFollowed(route);
  return (
    <Announcer>
      <a className="skip key" href="#content">
        {texts.skip}
      </a>
      <Saying>
        <div className="page">
          <Bar route={route} theme={theme} onTheme={nextTheme} />
          <Screen route={route} />
        </div>
      </Saying>
      <LineBanner />
    </Announcer>
  );
}

function Screen({ route }: { route: Route }) {
  const { connection, player, opening, client } = usePairQuiz();
  if (connection.status === "refused") {
    return <Refused code={connection.code} message={connection.message} onRetry={client.connect} />;
  }
  if (connection.status === "expired") return <Refused code="expired" message="" onRetry={client.connect} />;
  if (player === null) {
    const failures = "failures" in connection ? connection.failures : 0;
    if (failures >= PATIENCE) return <Unreachable />;
    // What needs nobody's name is there while the line is still being laid.
    if (!(route.name === "best" || (route.name === "play" && opening === null))) return <Loading />;
  }
  return <Place route={route} />;
}

function Place({ route }: { route: Route }) {
  switch (route.name) {
    case "play":
      return <PlayPage />;
    case "best":
      return <BestPage />;
    case "profile":
      return <ProfilePage />;
    case "duel":
      return <DuelPage key={route.sessionId} sessionId={route.sessionId} />;
    case "challenge":
      return <ChallengePage key={route.code} code={route.code} />;
    default:
      return <Over heading={texts.missing.page} text={texts.missing.pageText} />;
  }
}
