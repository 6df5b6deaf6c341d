/** One duel that is over, in a line; it leads to its results. */

import type { PastSession } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Link } from "./Link.tsx";
import { Name } from "./Name.tsx";

export function Past({ past }: { past: PastSession }) {
  const words = texts.profile;
  const { opponent, outcome, rating } = past;
  const name = opponent.display_name === "" ? texts.somebody : opponent.display_name;
  return (
    <li>
      <Link to={{ name: "duel", sessionId: past.session_id }} className={`past ${outcome}`}>
        <span className="past-outcome">{words.outcomes[outcome]}</span>
        <span className="past-what">
          <span dir="auto">{past.topic}</span>
          <span className="small quiet">
            <Name>{words.against(name)}</Name> · {day(past.ended_at)}
          </span>
        </span>
        <span className="past-score number">
          {past.your_score} : {past.opponent_score}
          {rating !== null && (
            <span className={`small ${rating.change >= 0 ? "up" : "down"}`}>{texts.results.ratingChange(rating.change)}</span>
          )}
        </span>
      </Link>
    </li>
  );
}

function day(ms: number): string {
  return new Date(ms).toLocaleDateString(texts.language, { day: "numeric", month: "short" });
}
