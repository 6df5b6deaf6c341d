/** Once more against the same: who has asked, and how the series stands. */

import type { Match } from "@pairquiz/client";
import { useReached } from "../app/clock.ts";
import { texts } from "../texts.ts";

interface Props {
  match: Match;
  name: string;
  now: () => number;
  onAsk: () => void;
}

export function Rematch({ match, name, now, onAsk }: Props) {
  const words = texts.results;
  const { rematch, series } = match;
  const isOver = useReached(rematch?.expires_at ?? 0, now);
  return (
    <div className={match.missed ? "rematch awaited" : "rematch"}>
      {series !== null && (
        <p className="rematch-series">
          <span className="quiet note">{words.series}</span>
          <strong className="number">{words.seriesLine(series.you, series.opponent)}</strong>
        </p>
      )}
      {!match.ghost && rematch !== null && !isOver && (
        <>
          <p className="note rematch-line" role="status">
            <bdi>{rematch.you ? words.rematchWaiting(name) : rematch.opponent ? words.rematchAsked(name) : ""}</bdi>
          </p>
          {!rematch.you && (
            <button type="button" className="key main big full" onClick={onAsk}>
              {rematch.opponent ? words.rematchTake : words.rematch}
            </button>
          )}
        </>
      )}
    </div>
  );
}
