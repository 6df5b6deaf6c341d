/** Both are here: who plays against whom, for what, and the start. */

import { useEffect } from "react";
import type { Match } from "@pairquiz/client";
import { useAnnounce } from "../app/announce.tsx";
import { secondsLeft, useSecondsLeft } from "../app/clock.ts";
import { rivalName } from "../app/sides.ts";
import { Heading } from "../parts/Heading.tsx";
import { Name } from "../parts/Name.tsx";
import { texts } from "../texts.ts";

interface Props {
  match: Match;
  now: () => number;
  onStart: () => void;
  onLeave: () => void;
}

export function Ready({ match, now, onStart, onLeave }: Props) {
  const words = texts.ready;
  const name = rivalName(match);
  const { opponent, starts_at: startsAt, series } = match;
  return (
    <main id="content" className="screen middle ready">
      <Heading title={words.heading} className="heard">
        {series === null ? words.heading : words.rematch}
      </Heading>
      <div className="versus">
        <div className="versus-side you">
          <p className="versus-name">{texts.you}</p>
          {series !== null && <p className="number versus-series">{series.you}</p>}
        </div>
        <p className="versus-word">{words.versus}</p>
        <div className="versus-side rival">
          <p className="versus-name">
            <Name>{name}</Name>
          </p>
          {series !== null && <p className="number versus-series">{series.opponent}</p>}
          {match.ghost && <p className="tag">{texts.ghostMark}</p>}
          {typeof opponent?.rating === "number" && <p className="small">{words.rating(opponent.rating)}</p>}
          {opponent?.connected === false && <p className="small">{words.away}</p>}
        </div>
      </div>
      <p className="quiet note" dir="auto">
        {match.topic} · {terms(match)}
      </p>
      {startsAt === null ? (
        <div className="stack">
          <button type="button" className="key main big" onClick={onStart}>
            {words.start}
          </button>
          <p className="note quiet">{words.either}</p>
        </div>
      ) : (
        <StartsIn startsAt={startsAt} now={now} onStart={onStart} />
      )}
      <button type="button" className="plain" onClick={onLeave}>
        {words.leave}
      </button>
    </main>
  );
}

function StartsIn({ startsAt, now, onStart }: { startsAt: number; now: () => number; onStart: () => void }) {
  const words = texts.ready;
  const seconds = useSecondsLeft(startsAt, now);
  const announce = useAnnounce();
  useEffect(() => announce(words.startsInHeard(secondsLeft(startsAt, now()))), [startsAt, now, announce, words]);
  return (
    <div className="stack">
      <p className="starts-in">
        <span className="quiet">{words.startsIn}</span>
        <span key={seconds} className="display number pop" aria-hidden="true">
          {seconds}
        </span>
      </p>
      <button type="button" className="key main" onClick={onStart}>
        {words.startNow}
      </button>
    </div>
  );
}

function terms(match: Match): string {
  const words = texts.settings;
  return words.summary(match.question_count, match.time_limit, words.paces[match.pace], words.scorings[match.scoring]);
}
