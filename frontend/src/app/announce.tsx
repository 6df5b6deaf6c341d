/** What a screen reader is told while somebody looks elsewhere. There is one polite voice, and it never repeats itself by accident. */

import { createContext, useCallback, useContext, useState, type ReactNode } from "react";

type Announce = (text: string) => void;

const Voice = createContext<Announce>(() => undefined);

export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const announce = useCallback<Announce>((text) => setSaid((last) => ({ text, turn: last.turn + 1 })), []);
  return (
    <Voice value={announce}>
      {children}
      {/* Two places in turn: the same words twice in one place are not said again. */}
      <div className="heard" role="status">
        <p>{said.turn % 2 === 0 ? said.text : ""}</p>
        <p>{said.turn % 2 === 1 ? said.text : ""}</p>
      </div>
    </Voice>
  );
}

/** What says a sentence to a screen reader, when it has nothing else to say. */
export function useAnnounce(): Announce {
  return useContext(Voice);
}
