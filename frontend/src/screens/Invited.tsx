/** Somebody has opened a link: of a duel whose other seat is free, or of a challenge. */

import { Facing } from "../parts/Facing.tsx";
import { Heading } from "../parts/Heading.tsx";
import { Link } from "../parts/Link.tsx";
import { texts } from "../texts.ts";

interface Props {
  to: "duel" | "challenge";
  isBusy: boolean;
  onTake: () => void;
}

export function Invited({ to, isBusy, onTake }: Props) {
  const words = to === "duel" ? texts.invited : texts.challenge;
  return (
    <main id="content" className="screen middle">
      <Facing />
      <div className="stack tight">
        <Heading title={words.heading} className="display">
          {words.heading}
        </Heading>
        <p className="quiet">{words.text}</p>
      </div>
      <div className="stack">
        <button type="button" className="key main big" disabled={isBusy} onClick={onTake}>
          {to === "duel" ? texts.invited.join : texts.challenge.accept}
        </button>
        <Link to={{ name: "play" }} className="plain-link note">
          {texts.invited.other}
        </Link>
      </div>
    </main>
  );
}
