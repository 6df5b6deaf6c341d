/** The answers to choose from: keys in every sense, pressed by a finger, a mouse, Enter, or 1 to 9. */

import { useEffect, useEffectEvent } from "react";
import { texts } from "../texts.ts";
import { Icon } from "./Icon.tsx";
import { Name } from "./Name.tsx";

export interface Choice {
  /** One's own answer, as an index. */
  mine: number | null;
  /** The opponent's, once it may be known. */
  theirs?: number | null;
  /** The right one, once it is known. */
  correct: number | null;
}

interface Props {
  options: readonly string[];
  lang?: string | undefined;
  choice: Choice;
  /** The opponent's name, for what a mark means. */
  rival: string;
  /** Whether one can still choose. */
  isOpen: boolean;
  /** What one's own answer has brought, beside it. */
  points?: number | null;
  onChoose: (index: number) => void;
}

export function Options({ options, lang, choice, rival, isOpen, points, onChoose }: Props) {
  useNumberKeys(options.length, isOpen, onChoose);
  return (
    <ol className="options" aria-label={texts.duel.options} lang={lang}>
      {options.map((option, index) => {
        const [isMine, isTheirs] = [choice.mine === index, choice.theirs === index];
        return (
          <li key={index}>
            <button
              type="button"
              className={`option ${look(index, choice)}`}
              aria-disabled={!isOpen}
              aria-pressed={isMine}
              aria-keyshortcuts={String(index + 1)}
              onClick={() => isOpen && onChoose(index)}
            >
              <kbd aria-hidden="true">{mark(index, choice)}</kbd>
              <span className="option-text" dir="auto">
                {option}
              </span>
              {choice.correct !== null && <Verdict index={index} choice={choice} />}
              {isMine && points !== undefined && points !== null && (
                <span className="option-points number pop">{texts.duel.points(points)}</span>
              )}
              {choice.theirs !== undefined && choice.theirs !== null && (isMine || isTheirs) && (
                <span className="option-who">
                  {isMine && <span className="dot you">{texts.you}</span>}
                  {isTheirs && (
                    <span className="dot rival">
                      <Name>{rival}</Name>
                    </span>
                  )}
                </span>
              )}
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** What a screen reader hears of an option when it is known which one is right; eyes have colours and marks. */
function Verdict({ index, choice }: { index: number; choice: Choice }) {
  if (index === choice.correct) return <span className="heard">{texts.results.rightAnswer}</span>;
  return index === choice.mine ? <span className="heard">{texts.duel.wrong}</span> : null;
}

function mark(index: number, choice: Choice) {
  if (choice.correct === index) return <Icon name="check" />;
  if (choice.correct !== null && choice.mine === index) return <Icon name="cross" />;
  return index + 1;
}

function look(index: number, { mine, theirs, correct }: Choice): string {
  if (correct === null) return mine === null ? "" : mine === index ? "chosen" : "faded";
  if (index === correct) return "right";
  return index === mine ? "wrong" : index === theirs ? "theirs" : "faded";
}

/** The number keys answer, wherever the focus is: but not while somebody writes, or a window lies over the page. */
function useNumberKeys(count: number, isOpen: boolean, onChoose: (index: number) => void): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (document.querySelector("dialog[open]") !== null) return;
    if (event.target instanceof Element && event.target.matches("input, textarea, select")) return;
    const index = Number(event.key) - 1;
    if (Number.isInteger(index) && index >= 0 && index < count) onChoose(index);
  });
  useEffect(() => {
    if (!isOpen) return;
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [isOpen]);
}
