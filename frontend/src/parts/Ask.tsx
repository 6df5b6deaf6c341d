/** Asks before something that cannot be taken back. */

import { texts } from "../texts.ts";
import { Window } from "./Window.tsx";

interface Props {
  heading: string;
  text: string;
  yes: string;
  no: string;
  onYes: () => void;
  onNo: () => void;
}

export function Ask({ heading, text, yes, no, onYes, onNo }: Props) {
  return (
    <Window heading={heading} onClose={onNo}>
      <p>{text}</p>
      <div className="row">
        <button type="button" className="key main" onClick={onNo}>
          {no}
        </button>
        <button type="button" className="key danger" onClick={onYes}>
          {yes}
        </button>
      </div>
    </Window>
  );
}

/** Asks whether to give up a duel. */
export function AskToLeave({ onLeave, onStay }: { onLeave: () => void; onStay: () => void }) {
  const words = texts.duel;
  return (
    <Ask heading={words.leaveSure} text={words.leaveText} yes={words.leave} no={words.stay} onYes={onLeave} onNo={onStay} />
  );
}
