/** Keeps an opponent from being found again; it can be taken back at once. */

import { useState } from "react";
import { texts } from "../texts.ts";

export function BlockOpponent({ onBlock }: { onBlock: (block: boolean) => Promise<boolean> }) {
  const words = texts.results;
  const [isBlocked, setBlocked] = useState(false);
  const set = async (block: boolean) => {
    if (await onBlock(block)) setBlocked(block);
  };
  return (
    <div className="row block">
      <button type="button" className="plain" onClick={() => void set(!isBlocked)}>
        {isBlocked ? words.unblock : words.block}
      </button>
      <span className="small quiet" role="status">
        {isBlocked ? words.blocked : words.blockText}
      </span>
    </div>
  );
}
