/** What a refusal says to somebody who plays: the codes are for programs. Pure. */

import type { Refusal } from "@pairquiz/client";
import { texts } from "../texts.ts";

type Known = Exclude<keyof typeof texts.failures, "other">;

/** The sentence for a refusal; `command` is what was refused, where that makes a difference. */
export function failureText({ code, message }: Refusal, command = ""): string {
  const words = texts.failures;
  if (code === "own_match" && command === "accept_challenge") return words.own_challenge;
  if (code === "forbidden" && command === "create_challenge") return words.recording_refused;
  return isKnown(code) ? words[code] : words.other(message);
}

function isKnown(code: string): code is Known {
  return code in texts.failures && code !== "other";
}
