/** All is answered; the other still plays. */

import type { Match } from "@pairquiz/client";
import { rivalName } from "../app/sides.ts";
import { Heading } from "../parts/Heading.tsx";
import { texts } from "../texts.ts";

export function Done({ match, onLeave }: { match: Match; onLeave: () => void }) {
  const words = texts.done;
  const left = match.question_count - (match.opponent?.answered ?? 0);
  const { right, of } = match.your_accuracy;
  return (
    <section className="card done">
      <Heading title={words.heading} step="done">
        {words.heading}
      </Heading>
      <p className="done-right number">{words.right(right, of)}</p>
      <p className="done-left">
        <bdi dir="auto">{left > 0 && match.opponent?.completed !== true && words.waiting(rivalName(match), left)}</bdi>
      </p>
      <p className="quiet note">{words.soon}</p>
      <button type="button" className="plain leave" onClick={onLeave}>
        {texts.duel.leave}
      </button>
    </section>
  );
}
