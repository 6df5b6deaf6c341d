/** Says what is wrong with a question. */

import { useState } from "react";
import type { ReportReason } from "@pairquiz/client";
import { texts } from "../texts.ts";
import { Window } from "./Window.tsx";

const REASONS = ["wrong_answer", "unclear", "outdated", "offensive", "other"] as const;
const NOTE_MAX = 500;

interface Props {
  question: string;
  onSend: (reason: ReportReason, note: string) => void;
  onClose: () => void;
}

export function Report({ question, onSend, onClose }: Props) {
  const [reason, setReason] = useState<ReportReason>("wrong_answer");
  const [note, setNote] = useState("");
  const words = texts.report;
  return (
    <Window heading={words.heading} onClose={onClose}>
      <p className="quiet note" dir="auto">
        {question}
      </p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          // Line breaks are control characters, which a note has none of.
          onSend(reason, note.replace(/\s+/g, " ").trim());
        }}
      >
        <fieldset className="choices" aria-label={words.heading}>
          {REASONS.map((each) => (
            <label key={each} className="choice">
              <input type="radio" name="reason" checked={reason === each} onChange={() => setReason(each)} />
              <span>{words.reasons[each]}</span>
            </label>
          ))}
        </fieldset>
        <div className="field">
          <label htmlFor="report-note">{words.note}</label>
          <textarea
            id="report-note"
            className="input"
            dir="auto"
            maxLength={NOTE_MAX}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        </div>
        <div className="row">
          <button type="submit" className="key main">
            {words.send}
          </button>
          <button type="button" className="key flat" onClick={onClose}>
            {texts.cancel}
          </button>
        </div>
      </form>
    </Window>
  );
}
