/** The best of the week, the first few of them. Its place is kept while they are fetched. */

import type { RankList } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Link } from "./Link.tsx";
import { Name } from "./Name.tsx";

const SHOWN = 5;

export function Podium({ league }: { league: RankList | null }) {
  const words = texts.home;
  return (
    <section className="card podium" aria-labelledby="podium">
      <div className="row apart">
        <h2 id="podium">{words.beaten}</h2>
        <Link to={{ name: "best" }} className="small">
          {words.all}
        </Link>
      </div>
      {league !== null && league.entries.length === 0 && <p className="quiet note">{words.nobodyYet}</p>}
      <ol className="ranks">
        {(league?.entries ?? []).slice(0, SHOWN).map((entry, index) => (
          <li key={index} className={entry.you === true ? "rank mine" : "rank"}>
            <span className="rank-place number">{entry.rank}</span>
            <Name>{entry.display_name}</Name>
            <span className="number">{entry.points ?? entry.rating}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
