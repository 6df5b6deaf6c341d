import assert from "node:assert/strict";
import { test } from "node:test";
import { wanted } from "../src/reducer.js";
import { initialSnapshot } from "../src/snapshot.js";
import { after, heard, ID, matchOf, NEXT_ID, opponentAnswer, playing, results, state, welcome } from "./samples.js";

const FOUND = heard("opponent_found", {
  session_id: ID,
  topic: "General",
  status: "ready_to_start",
  opponent: { display_name: "Ben", rating: 1500, kind: "player" },
  starts_at: 4000,
  version: 1,
});
const WAITING = { session_id: ID, topic: "General", status: "waiting", opponent: null } as const;
const OPPONENT = { display_name: "Ben", connected: true, kind: "player" } as const;

test("who looks for somebody beside a match that is over takes up what was found", () => {
  const over = playing({ status: "completed", version: 8, results: results() });
  const seeking = after(over, { type: "seeking", wishes: {} }, { type: "lost" });
  const live = [{ ...WAITING, session_id: NEXT_ID, status: "ready" as const }];
  assert.equal(wanted(after(seeking, welcome({ sessions: live }))), NEXT_ID);
});

test("a broken line counts its attempts, and a welcome ends them", () => {
  const broken = after(playing(), { type: "lost" }, { type: "attempt_failed" }, { type: "attempt_failed" });
  assert.deepEqual(broken.connection, { status: "offline", failures: 2 });
  assert.deepEqual(after(broken, welcome()).connection, { status: "online", draining: false });
  const never = after(initialSnapshot(), { type: "connecting" }, { type: "attempt_failed" });
  assert.deepEqual(never.connection, { status: "connecting", failures: 1 });
});

test("whoever is welcomed again asks for the match that goes on", () => {
  assert.equal(wanted(playing()), null);
  assert.equal(wanted(after(playing(), { type: "lost" }, welcome())), ID);
});

test("what was kept before a reload is asked for", () => {
  assert.equal(wanted(after(initialSnapshot({ session_id: ID }), welcome())), ID);
});

test("whoever has kept nothing takes up what waits", () => {
  assert.equal(wanted(after(initialSnapshot(), welcome({ sessions: [WAITING] }))), ID);
});

test("who looks for somebody takes up a match that was found meanwhile, and none that waits", () => {
  const search = { topic: "General" };
  const waits = after(initialSnapshot({ search }), welcome({ sessions: [WAITING] }));
  assert.deepEqual([wanted(waits), waits.search?.wishes], [null, search]);
  const found = after(initialSnapshot({ search }), welcome({ sessions: [{ ...WAITING, status: "ready" }] }));
  assert.deepEqual([wanted(found), found.search], [ID, null]);
});

test("another player's match is put away", () => {
  const other = after(playing(), welcome({ user_id: "guest:2" }));
  assert.deepEqual([other.match, wanted(other)], [null, null]);
});

test("what is heard while a match is being opened is not lost", () => {
  const opening = after(initialSnapshot(), welcome(), { type: "opening", session_id: ID });
  const opened = after(opening, opponentAnswer(), heard("quiz_state", state({ version: 3 })));
  assert.deepEqual([opened.opening, matchOf(opened).version, matchOf(opened).opponent?.answered], [null, 4, 1]);
});

test("a search ends where somebody is found, also where it was just cancelled", () => {
  const seeking = after(initialSnapshot(), welcome(), { type: "seeking", wishes: {} });
  const news = heard("opponent_search", { waited_ms: 2000, rating_range: 150, seeking: 1 });
  assert.equal(after(seeking, news).search?.waited_ms, 2000);
  const found = after(seeking, FOUND);
  assert.deepEqual([found.search, wanted(found)], [null, ID]);
  const crossed = after(seeking, { type: "sought_no_more" }, FOUND, news);
  assert.deepEqual([crossed.search, wanted(crossed)], [null, ID]);
});

test("a search ends where its topic has shrunk", () => {
  const seeking = after(initialSnapshot(), welcome(), { type: "seeking", wishes: {} });
  const shrunk = { code: "not_enough_questions", message: "…", retry: false, command: "find_opponent" } as const;
  const ended = after(seeking, heard("error", shrunk));
  assert.deepEqual([ended.search, ended.problem?.code], [null, "not_enough_questions"]);
});

test("a rematch opens once both have asked, whoever was first", () => {
  const over = playing({
    status: "completed",
    version: 8,
    results: results(),
    rematch: { you: false, opponent: false, expires_at: 99_000 },
  });
  const asked = after(over, { type: "rematch_asked", reply: { session_id: ID, waiting: true } });
  assert.deepEqual([matchOf(asked).rematch?.you, wanted(asked)], [true, null]);
  const joined = heard("opponent_joined", {
    session_id: NEXT_ID,
    previous_session_id: ID,
    status: "ready_to_start",
    opponent: OPPONENT,
    version: 1,
  });
  assert.equal(wanted(after(asked, joined)), NEXT_ID);
  const second = after(over, heard("rematch_requested", { session_id: ID, version: 8 }));
  assert.equal(matchOf(second).rematch?.opponent, true);
  const reply = { session_id: ID, waiting: false, next_session_id: NEXT_ID };
  assert.equal(wanted(after(second, { type: "rematch_asked", reply })), NEXT_ID);
});

test("a rematch that was made while the line was broken opens, and one that is long over does not", () => {
  const over = playing({ status: "completed", version: 8, results: results() });
  const rematch = { you: true, opponent: true, expires_at: 99_000, session_id: NEXT_ID };
  const told = heard("quiz_state", state({ status: "completed", version: 8, results: results(), rematch }));
  const live = [{ ...WAITING, session_id: NEXT_ID, status: "ready" as const }];
  assert.equal(wanted(after(over, welcome({ sessions: live }), told)), NEXT_ID);
  assert.equal(wanted(after(over, welcome(), told)), null);
});

test("a match of another window is not put on this screen", () => {
  const joined = { session_id: NEXT_ID, status: "ready_to_start", opponent: OPPONENT, version: 2 } as const;
  const other = heard("opponent_joined", joined);
  const before = playing();
  assert.equal(after(before, other), before);
});

test("a match that was put off the screen stays off it when somebody joins", () => {
  const away = after(playing({ status: "waiting" }), { type: "match_dismissed" });
  const joined = { session_id: ID, status: "ready_to_start", opponent: OPPONENT, version: 4 } as const;
  assert.equal(wanted(after(away, heard("opponent_joined", joined))), null);
});

test("another player looks for nobody whom the one before has looked for", () => {
  const looking = after(playing({ status: "completed" }), { type: "seeking", wishes: {} });
  assert.notEqual(after(looking, welcome()).search, null);
  assert.equal(after(looking, welcome({ user_id: "guest:2" })).search, null);
});

test("a session that nobody may see is not asked for again", () => {
  const opening = after(initialSnapshot({ session_id: ID }), welcome());
  assert.equal(wanted(after(opening, { type: "not_opened", session_id: ID })), null);
  const missed = after(playing(), welcome());
  assert.equal(wanted(after(missed, { type: "not_opened", session_id: ID })), null);
});

test("a snapshot that was given out never changes", () => {
  const before = playing();
  const copy = structuredClone(before);
  after(before, opponentAnswer(), { type: "lost" }, welcome({ sessions: [WAITING] }), heard("quiz_results", results()));
  assert.deepEqual(before, copy);
});

test("no session begins until the server says that they do, or welcomes anew", () => {
  const on = heard("maintenance", { on: true, server_time: 1000, message: "Back at noon", until: 9000 });
  const kept = after(playing(), on);
  assert.deepEqual(kept.maintenance, { message: "Back at noon", until: 9000 });
  assert.deepEqual(after(kept, heard("maintenance", { on: true, server_time: 1000 })).maintenance, {
    message: null,
    until: null,
  });
  assert.equal(after(kept, heard("maintenance", { on: false, server_time: 2000 })).maintenance, null);
  assert.equal(after(kept, { type: "lost" }, welcome()).maintenance, null);
});

test("a match that the operator has ended is abandoned, whatever is the nearest reason", () => {
  const expired = { session_id: ID, reason: "both_absent", version: 4, by_operator: true } as const;
  const { match } = after(playing(), heard("session_expired", expired));
  assert.deepEqual([match?.status, match?.end], ["abandoned", "operator"]);
  const withdrawn = { session_id: ID, reason: "nobody_joined", version: 4, by_operator: true } as const;
  const waiting = after(playing({ status: "waiting" }), heard("session_expired", withdrawn));
  assert.deepEqual([waiting.match?.status, waiting.match?.end], ["abandoned", "operator"]);
});
