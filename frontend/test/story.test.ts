import { expect, test } from "vitest";
import { headline, race, story } from "../src/app/story.ts";
import { resultsOf } from "./match.ts";

test("points are summed up question by question", () => {
  expect(race(resultsOf([[100, 0], [0, 120], [140, 0]]))).toEqual({ yours: [0, 100, 100, 240], theirs: [0, 0, 120, 120] });
});

test.each([
  [resultsOf([[100, 0]]), "You win by 100"],
  [resultsOf([[110, 100]]), "By a hair: you win by 10"],
  [resultsOf([[0, 100]]), "Lost by 100"],
  [resultsOf([[100, 110]]), "So close: 10 short"],
  [resultsOf([[100, 100]]), "A draw"],
  [resultsOf([[0, 0]], { outcome: "none" }), "Practice is over"],
  [resultsOf([[0, 100]], { outcome: "won", reason: "opponent_left" }), "Ben gave up. You win"],
  [resultsOf([[0, 100]], { outcome: "lost", reason: "you_were_absent" }), "You were away for too long"],
])("a result has a headline", (results, expected) => {
  expect(headline(results, "Ben")).toBe(expected);
});

test("who led all the time is told so", () => {
  expect(story(resultsOf([[120, 0], [100, 90]]), "Ben")[0]).toBe("You led from the first question to the last.");
  expect(story(resultsOf([[0, 120], [0, 90]]), "Ben")[0]).toBe("Ben led from the first question to the last.");
});

test("the question that turned it is named", () => {
  expect(story(resultsOf([[0, 120], [140, 0], [100, 0]]), "Ben")).toContain("You took the lead at question 2 and kept it.");
  expect(story(resultsOf([[120, 0], [0, 140], [0, 0]]), "Ben")).toContain("Ben went ahead at question 2 and stayed there.");
});

test("more than one turn is counted, and a tie in between is none", () => {
  const told = story(resultsOf([[100, 0], [0, 150], [100, 0]]), "Ben");
  expect(told.slice(0, 2)).toEqual(["The lead changed 2 times.", "You took the lead at question 3 and kept it."]);
  const tied = story(resultsOf([[100, 0], [0, 100], [100, 0]]), "Ben");
  expect(tied[0]).toBe("You led from the first question to the last.");
});

test("practice has no story of points", () => {
  expect(story(resultsOf([[0, 0], [0, 0]], { outcome: "none" }), "Ben")).toEqual([]);
});
