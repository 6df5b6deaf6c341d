/** Which question of how many, how hard it is where that counts, and the way out. */

import { texts } from "../texts.ts";

interface Props {
  number: number;
  of: number;
  difficulty?: "easy" | "medium" | "hard" | undefined;
  onLeave: () => void;
}

export function QuestionHead({ number, of, difficulty, onLeave }: Props) {
  return (
    <div className="question-head">
      <p className="number">{texts.duel.question(number, of)}</p>
      {difficulty !== undefined && <p className={`difficulty ${difficulty}`}>{texts.duel.difficulty[difficulty]}</p>}
      <button type="button" className="plain leave" onClick={onLeave}>
        {texts.duel.leave}
      </button>
    </div>
  );
}
