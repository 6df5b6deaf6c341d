/** A link to one's own run, with which to dare somebody. */

import type { ChallengeCreated } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Handing } from "./Handing.tsx";

interface Props {
  topic: string;
  score: number;
  challenge: ChallengeCreated | null;
  onMake: () => void;
}

export function Dare({ topic, score, challenge, onMake }: Props) {
  const words = texts.challenge;
  return (
    <section className="card" aria-labelledby="dare">
      <div className="stack tight">
        <h2 id="dare">{words.sendHeading}</h2>
        <p className="note quiet">{words.sendText(score)}</p>
      </div>
      {challenge === null ? (
        <button type="button" className="key" onClick={onMake}>
          {words.send}
        </button>
      ) : (
        <Handing
          link={`${location.origin}${challenge.challenge_url}`}
          text={words.shareText(score, topic)}
          label={words.made}
          copy={words.copy}
        />
      )}
    </section>
  );
}
