import { expect, test } from "vitest";
import { failureText } from "../src/app/failures.ts";
import { secondsLeft } from "../src/app/clock.ts";
import { readTerms } from "../src/app/terms.ts";

test("what was chosen is chosen again", () => {
  const terms = { topic: "Music", pace: "rounds", scoring: "negative", questionCount: 10, timeLimit: 30, acceptGhost: false };
  expect(readTerms(JSON.stringify(terms))).toEqual(terms);
});

test.each([null, "", "{", "[]", "7", '{"pace":"quick","questionCount":1e9,"topic":7,"acceptGhost":"no"}'])(
  "%s is as usual",
  (text) => {
    expect(readTerms(text)).toEqual({
      topic: "General",
      pace: "free",
      scoring: "speed_bonus",
      questionCount: 5,
      timeLimit: 20,
      acceptGhost: true,
    });
  },
);

test("a refusal is a sentence for people; one that the page does not know says what the server says", () => {
  const refusal = (code: "own_match" | "invalid_payload") => ({ code, message: "display_name: too long", retry: false });
  expect(failureText(refusal("own_match"))).toContain("your own duel");
  expect(failureText(refusal("own_match"), "accept_challenge")).toContain("your own run");
  expect(failureText(refusal("invalid_payload"))).toBe("display_name: too long");
});

test("a second is left until it is over", () => {
  expect([secondsLeft(5000, 3999), secondsLeft(5000, 4000), secondsLeft(5000, 4999), secondsLeft(5000, 5000), secondsLeft(5000, 9000)]).toEqual([
    2, 1, 1, 0, 0,
  ]);
});
