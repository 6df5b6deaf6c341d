/** The latest of the opponent, in a line: how far they are, or that they are away, and until when. */

import { useEffect, useRef } from "react";
import type { Match } from "@pairquiz/client";
import { useAnnounce } from "../app/announce.tsx";
import { secondsLeft, useSecondsLeft } from "../app/clock.ts";
import { rivalName } from "../app/sides.ts";
import { texts } from "../texts.ts";
import { Name } from "./Name.tsx";

interface Props {
  match: Match;
  now: () => number;
}

export function Ticker({ match, now }: Props) {
  const words = texts.duel.ticker;
  const { opponent } = match;
  useNews(match, now);
  if (opponent === null) return null;
  if (!opponent.connected && !match.ghost) {
    return (
      <span className="urgent">
        <Name>{awayLine(match)}</Name>
        {opponent.reconnect_by !== undefined && <TimeToComeBack until={opponent.reconnect_by} now={now} />}
      </span>
    );
  }
  if (opponent.completed) return <Name>{words.completed(rivalName(match))}</Name>;
  return opponent.answered > 0 ? <Name>{words.answered(rivalName(match), opponent.answered)}</Name> : null;
}

function TimeToComeBack({ until, now }: { until: number; now: () => number }) {
  return <span className="number">{texts.duel.ticker.awayFor(useSecondsLeft(until, now))}</span>;
}

/** Tells a screen reader what has changed of the opponent since the last time. */
function useNews(match: Match, now: () => number): void {
  const announce = useAnnounce();
  const words = texts.duel.ticker;
  const name = rivalName(match);
  const { answered = 0, completed = false, connected = true } = match.opponent ?? {};
  const before = useRef({ answered, completed, connected });
  useEffect(() => {
    const last = before.current;
    before.current = { answered, completed, connected };
    if (connected !== last.connected) {
      const until = match.opponent?.reconnect_by;
      const grace = until === undefined ? "" : ` ${words.awayHeard(secondsLeft(until, now()))}`;
      announce(connected ? words.back(name) : `${awayLine(match)}.${grace}`);
    } else if (completed && !last.completed) announce(words.completed(name));
    else if (answered > last.answered) announce(words.answered(name, answered));
  });
}

function awayLine(match: Match): string {
  const words = texts.duel.ticker;
  const name = rivalName(match);
  if (match.opponent?.cause === "connection_lost") return words.awayLost(name);
  return match.opponent?.cause === "closed" ? words.awayClosed(name) : words.away(name);
}
