/** Duels that one is in: the way back to each. */

import type { Session } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Link } from "./Link.tsx";

export function Running({ sessions }: { sessions: readonly Session[] }) {
  const words = texts.home;
  return (
    <section className="running" aria-labelledby="running">
      <h2 id="running">{words.running}</h2>
      <ul className="stack tight">
        {sessions.map(({ session_id, topic, opponent }) => (
          <li key={session_id} className="row apart">
            <span dir="auto">
              {opponent === null ? words.runningAlone(topic) : words.runningLine(topic, opponent.display_name)}
            </span>
            <Link to={{ name: "duel", sessionId: session_id }} className="key flat">
              {words.carryOn}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
