/** The two sides of a duel: names, points, how far each is, and who is ahead. */

import type { ReactNode } from "react";
import { texts } from "../texts.ts";
import { Icon } from "./Icon.tsx";
import { Name } from "./Name.tsx";

export type Pip = "open" | "now" | "right" | "wrong" | "done" | "missed";

export interface Side {
  name: string;
  /** null where there are no points, as in practice. */
  score: number | null;
  /** One for each question. */
  pips: Pip[];
  isAway?: boolean;
  isGhost?: boolean;
}

interface Props {
  you: Side;
  opponent: Side;
  /** The latest news, below the two; its place is kept, so that nothing moves. */
  ticker?: ReactNode;
}

export function Duel({ you, opponent, ticker }: Props) {
  return (
    <section className="duel" aria-label={texts.duel.label}>
      <Corner side={you} who="you" />
      <Corner side={opponent} who="rival" />
      <Rope you={you.score} opponent={opponent.score} />
      <p className="ticker small">{ticker}</p>
    </section>
  );
}

function Corner({ side, who }: { side: Side; who: "you" | "rival" }) {
  const done = side.pips.filter((pip) => pip !== "open" && pip !== "now").length;
  return (
    <div className={`corner ${who}`}>
      <p className="corner-name">
        {who === "you" ? texts.you : <Name>{side.name}</Name>}
        {side.isGhost === true && <span className="tag">{texts.ghostMark}</span>}
      </p>
      {side.score !== null && (
        <p className="corner-score number">
          <span key={side.score} className="pop" aria-hidden="true">
            {signed(side.score)}
          </span>
          <span className="heard">{texts.duel.score(who === "you" ? texts.you : side.name, side.score)}</span>
        </p>
      )}
      <Pips pips={side.pips} />
      <p className="heard">{texts.duel.answered(done, side.pips.length)}</p>
    </div>
  );
}

/** One mark for each question. Right and wrong differ by shape, too. Many questions get a bar instead of marks. */
export function Pips({ pips }: { pips: Pip[] }) {
  return (
    <div className={pips.length > 10 ? "pips many" : "pips"} aria-hidden="true">
      {pips.map((pip, index) => (
        <span key={index} className={`pip ${pip}`}>
          {pips.length <= 10 && pip === "right" && <Icon name="check" />}
          {pips.length <= 10 && pip === "wrong" && <Icon name="cross" />}
        </span>
      ))}
    </div>
  );
}

/** Whose part of all points is how large. */
function Rope({ you, opponent }: { you: number | null; opponent: number | null }) {
  const [mine, theirs] = [Math.max(0, you ?? 0), Math.max(0, opponent ?? 0)];
  const share = mine + theirs === 0 ? 0.5 : mine / (mine + theirs);
  return (
    <div className="rope" aria-hidden="true">
      <div className="rope-mine" style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}

function signed(score: number): string {
  return score < 0 ? `−${-score}` : String(score);
}
