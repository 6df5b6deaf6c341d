/** Where a code or a link is written, to join somebody's duel. */

import { useState } from "react";
import { readInvitation, type Invitation } from "../app/route.ts";
import { texts } from "../texts.ts";

export function Joining({ onJoin }: { onJoin: (invitation: Invitation) => void }) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const words = texts.home;
  return (
    <form
      className="field"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const invitation = readInvitation(text);
        setWrong(invitation === null);
        if (invitation !== null) onJoin(invitation);
      }}
    >
      <label htmlFor="code">{words.code}</label>
      <div className="joining">
        <input
          id="code"
          className="input code"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setWrong(false);
          }}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          aria-invalid={isWrong}
          aria-describedby="code-hint"
        />
        <button type="submit" className="key">
          {words.codeJoin}
        </button>
      </div>
      <p id="code-hint" className={isWrong ? "small hint wrong" : "small hint quiet"} role={isWrong ? "alert" : undefined}>
        {isWrong ? words.codeWrong : words.codeHint}
      </p>
    </form>
  );
}
