import { expect, test } from "vitest";
import { address, readInvitation, readRoute, type Route } from "../src/app/route.ts";

const ID = "7d2ee0a6-0ffd-4d58-94b2-6a8e1d4a4c11";

test.each<[string, string, Route]>([
  ["/", "", { name: "play" }],
  ["/", "#leaderboards", { name: "best" }],
  ["/", "#profile", { name: "profile" }],
  [`/pair-quiz/${ID}`, "", { name: "duel", sessionId: ID }],
  [`/pair-quiz/${ID}/`, "", { name: "duel", sessionId: ID }],
  ["/pair-quiz/challenge/ABCD-EFGH-JKMN", "", { name: "challenge", code: "ABCD-EFGH-JKMN" }],
  ["/pair-quiz", "", { name: "missing" }],
  [`/pair-quiz/${ID}/more`, "", { name: "missing" }],
  ["/elsewhere", "", { name: "missing" }],
  ["/pair-quiz/%", "", { name: "duel", sessionId: "%" }],
])("%s%s is read", (path, hash, route) => {
  expect(readRoute(path, hash)).toEqual(route);
});

test.each<Route>([{ name: "play" }, { name: "best" }, { name: "profile" }, { name: "duel", sessionId: ID }, { name: "challenge", code: "a/b?c" }])(
  "an address leads back to $name",
  (route) => {
    const { pathname, hash } = new URL(address(route), "http://localhost");
    expect(readRoute(pathname, hash)).toEqual(route);
  },
);

test.each([
  ["abcd-efgh", { joinCode: "abcdefgh" }],
  [" ABCD EFGH ", { joinCode: "ABCDEFGH" }],
  [ID, { sessionId: ID }],
  [`https://quiz.example/pair-quiz/${ID}?from=chat`, { sessionId: ID }],
  ["http://localhost:8000/pair-quiz/challenge/ABCDEFGHJKMN", { challengeCode: "ABCDEFGHJKMN" }],
  ["ABCDEFGHJKMN", { challengeCode: "ABCDEFGHJKMN" }],
  ["hello", null],
  ["", null],
  ["https://quiz.example/pair-quiz/", null],
])("%s is read as an invitation", (text, invitation) => {
  expect(readInvitation(text)).toEqual(invitation);
});
