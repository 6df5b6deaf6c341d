/** Where everything begins: what to play, and against whom. */

import { Fragment } from "react";
import type { RankList, Session, TopicSize } from "@pairquiz/client";
import type { Invitation } from "../app/route.ts";
import type { Terms } from "../app/terms.ts";
import { Facing } from "../parts/Facing.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Joining } from "../parts/Joining.tsx";
import { Podium } from "../parts/Podium.tsx";
import { Rules } from "../parts/Rules.tsx";
import { Running } from "../parts/Running.tsx";
import { Topics } from "../parts/Topics.tsx";
import { texts } from "../texts.ts";

interface Props {
  topics: readonly TopicSize[];
  terms: Terms;
  sessions: readonly Session[];
  league: RankList | null;
  isBusy: boolean;
  onTerms: (change: Partial<Terms>) => void;
  onFind: () => void;
  onInvite: () => void;
  onJoin: (invitation: Invitation) => void;
}

export function Home({ topics, terms, sessions, league, isBusy, onTerms, onFind, onInvite, onJoin }: Props) {
  const words = texts.home;
  const topic = topics.find((each) => each.name === terms.topic);
  return (
    <main id="content" className="screen wide home">
      <header className="hero">
        <div className="stack tight">
          <Heading title={texts.bar.play} className="display">
            {words.heading.map((sentence) => (
              <Fragment key={sentence}>
                <span>{sentence}</span>{" "}
              </Fragment>
            ))}
          </Heading>
          <p className="quiet">{words.intro}</p>
        </div>
        <Facing />
      </header>
      {sessions.length > 0 && <Running sessions={sessions} />}
      <div className="columns">
        <section className="card" aria-label={texts.bar.play}>
          <Topics topics={topics} chosen={terms.topic} onChoose={(name) => onTerms({ topic: name })} />
          <Rules terms={terms} available={topic?.questions ?? 0} onChange={onTerms} />
          <div className="actions">
            <button type="button" className="key main big" disabled={topic === undefined} onClick={onFind}>
              {words.find}
            </button>
            <button type="button" className="key big" disabled={topic === undefined || isBusy} onClick={onInvite}>
              {words.invite}
            </button>
          </div>
        </section>
        <div className="stack aside">
          <div className="card">
            <Joining onJoin={onJoin} />
          </div>
          <Podium league={league} />
        </div>
      </div>
    </main>
  );
}
