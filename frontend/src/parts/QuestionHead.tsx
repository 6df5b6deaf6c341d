/** Which question of how many, and how hard it is where that counts. */

import { texts } from "../texts.ts";

interface Props {
  number: number;
  of: number;
  difficulty?: "easy" | "medium" | "hard" | undefined;
}

export function QuestionHead({ number, of, difficulty }: Props) {
  return (
    <p className="question-head">
      <span className="number">{texts.duel.question(number, of)}</span>
      {difficulty !== undefined && <span className={`difficulty ${difficulty}`}>{texts.duel.difficulty[difficulty]}</span>}
    </p>
  );
}
