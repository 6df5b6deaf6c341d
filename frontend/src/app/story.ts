/** What a result has to tell: pure, from the numbers that both saw. */

import type { QuizResults } from "@pairquiz/client";
import { texts } from "../texts.ts";

/** Points after each question, from 0 on. */
export interface Race {
  yours: number[];
  theirs: number[];
}

export function race(results: QuizResults): Race {
  const [yours, theirs] = [[0], [0]];
  for (const question of results.questions) {
    yours.push((yours.at(-1) ?? 0) + question.your_points);
    theirs.push((theirs.at(-1) ?? 0) + question.opponent_points);
  }
  return { yours, theirs };
}

/** The headline of a result. */
export function headline(results: QuizResults, name: string): string {
  const words = texts.results.headings;
  const byWalkover = walkover(results, name);
  if (byWalkover !== null) return byWalkover;
  const by = Math.abs(results.your_score - results.opponent_score);
  const isClose = by <= 30;
  switch (results.outcome) {
    case "won":
      return isClose ? words.wonClose(by) : words.won(by);
    case "lost":
      return isClose ? words.lostClose(by) : words.lost(by);
    case "draw":
      return words.draw;
    default:
      return words.none;
  }
}

function walkover({ reason, by_operator }: QuizResults, name: string): string | null {
  const words = texts.results.headings;
  if (by_operator) return words.operator;
  switch (reason) {
    case "opponent_left":
      return words.opponentLeft(name);
    case "opponent_absent":
      return words.opponentAbsent(name);
    case "you_left":
      return words.youLeft;
    case "you_were_absent":
      return words.youWereAbsent;
    default:
      return null;
  }
}

/** One to three sentences: who led, what turned it, what was perfect. Nothing where nobody plays for points, or somebody has gone. */
export function story(results: QuizResults, name: string): string[] {
  const words = texts.results.story;
  const told: string[] = [];
  if (walkover(results, name) !== null || results.outcome === "none") return [];
  if (results.reason === "deadline") told.push(words.deadline);
  if (results.outcome !== "draw") told.push(...lead(race(results), name));
  const [mine, theirs] = [results.your_accuracy, results.opponent_accuracy];
  if (mine.of > 0 && mine.right === mine.of) told.push(words.perfect);
  else if (theirs.of > 0 && theirs.right === theirs.of) told.push(words.opponentPerfect(name));
  if (mine.right === theirs.right && mine.right > 0 && results.outcome !== "draw") told.push(words.sameRight);
  return told.slice(0, 3);
}

function lead({ yours, theirs }: Race, name: string): string[] {
  const words = texts.results.story;
  const signs = yours.map((points, index) => Math.sign(points - (theirs[index] ?? 0)));
  const turns = signs.flatMap((sign, index) => {
    const before = signs.slice(0, index).findLast((earlier) => earlier !== 0) ?? 0;
    return sign !== 0 && before !== 0 && sign !== before ? [index] : [];
  });
  const last = signs.findLast((sign) => sign !== 0) ?? 0;
  if (last === 0) return [];
  const turn = turns.at(-1);
  if (turn === undefined) return [last > 0 ? words.leadFromStart : words.behindFromStart(name)];
  const turned = last > 0 ? words.turned(turn) : words.lostLead(name, turn);
  return turns.length > 1 ? [words.changes(turns.length), turned] : [turned];
}
