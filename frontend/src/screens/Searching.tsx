/** While somebody is looked for. */

import type { Search } from "@pairquiz/client";
import { useElapsed } from "../app/clock.ts";
import { Heading } from "../parts/Heading.tsx";
import { texts } from "../texts.ts";

interface Props {
  search: Search;
  onGhost: () => void;
  onStop: () => void;
}

export function Searching({ search, onGhost, onStop }: Props) {
  const words = texts.search;
  const seconds = useElapsed(search.waited_ms ?? 0);
  const acceptsGhost = search.wishes.accept_ghost === true;
  return (
    <main id="content" className="screen middle searching">
      <div className="radar" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <Heading title={words.heading}>{words.heading}</Heading>
      <div className="stack tight">
        <p dir="auto" className="topic-name">
          {search.wishes.topic}
        </p>
        <p className="number quiet">{words.waited(seconds)}</p>
        <p className="note quiet two-lines">
          {search.seeking !== null && words.seeking(search.seeking)}
          <br />
          {search.rating_range !== null && words.range(search.rating_range)}
        </p>
      </div>
      <div className="stack">
        {acceptsGhost ? (
          <p className="note quiet">{words.ghostSoon}</p>
        ) : (
          <button type="button" className="key" onClick={onGhost}>
            {words.ghostOffer}
          </button>
        )}
        <button type="button" className="key flat" onClick={onStop}>
          {words.stop}
        </button>
      </div>
    </main>
  );
}
