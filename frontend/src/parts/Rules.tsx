/** The rules of a duel: one line that says them, which unfolds to change them. */

import { COUNTS, LIMITS, PACES, SCORINGS, type Terms } from "../app/terms.ts";
import { texts } from "../texts.ts";
import { Icon } from "./Icon.tsx";
import { OneOf } from "./OneOf.tsx";

interface Props {
  terms: Terms;
  /** How many questions the topic has. */
  available: number;
  onChange: (change: Partial<Terms>) => void;
}

export function Rules({ terms, available, onChange }: Props) {
  const words = texts.settings;
  const { questionCount, timeLimit, pace, scoring } = terms;
  return (
    <details className="folding rules">
      <summary>
        <span className="stack tight">
          <span className="label">{words.heading}</span>
          <span className="note quiet">
            {words.summary(questionCount, timeLimit, words.paces[pace], words.scorings[scoring])}
          </span>
        </span>
        <Icon name="down" />
      </summary>
      <div className="stack rules-all">
        <OneOf
          name="pace"
          legend={words.pace}
          choices={PACES}
          chosen={pace}
          label={(each) => words.paces[each]}
          hint={words.paceHints[pace]}
          onChoose={(each) => onChange({ pace: each })}
        />
        <OneOf
          name="scoring"
          legend={words.scoring}
          choices={SCORINGS}
          chosen={scoring}
          label={(each) => words.scorings[each]}
          hint={words.scoringHints[scoring]}
          onChoose={(each) => onChange({ scoring: each })}
        />
        <OneOf
          name="count"
          legend={words.count}
          choices={COUNTS}
          chosen={questionCount}
          isPossible={(each) => each <= available}
          onChoose={(each) => onChange({ questionCount: each })}
        />
        <OneOf
          name="limit"
          legend={words.limit}
          choices={LIMITS}
          chosen={timeLimit}
          onChoose={(each) => onChange({ timeLimit: each })}
        />
        <label className="switch">
          <input
            type="checkbox"
            role="switch"
            checked={terms.acceptGhost}
            onChange={(event) => onChange({ acceptGhost: event.target.checked })}
            aria-describedby="ghost-hint"
          />
          {words.ghost}
          <small id="ghost-hint">{words.ghostHint}</small>
        </label>
      </div>
    </details>
  );
}
