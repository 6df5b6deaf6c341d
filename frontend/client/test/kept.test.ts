import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity } from "../src/identity.js";
import { Kept, type TextStorage } from "../src/kept.js";

/** A storage like a tab's. */
class Tab implements TextStorage {
  readonly values = new Map<string, string>();
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  removeItem = (key: string) => void this.values.delete(key);
}

test("a reload finds what was kept, and nothing that was put away", () => {
  const tab = new Tab();
  const kept = new Kept(tab);
  [kept.token, kept.session_id, kept.search] = ["t", "s", { topic: "General" }];
  const reloaded = new Kept(tab);
  assert.deepEqual([reloaded.token, reloaded.session_id, reloaded.search], ["t", "s", { topic: "General" }]);
  [kept.session_id, kept.search] = [null, null];
  assert.deepEqual([...tab.values.keys()], ["pairquiz.token"]);
});

test("a storage that refuses is as good as none, until the reload", () => {
  const full = () => {
    throw new Error("full");
  };
  const kept = new Kept({ getItem: full, setItem: full, removeItem: full });
  kept.token = "t";
  assert.equal(kept.token, "t");
});

test("what is no JSON is no search", () => {
  const tab = new Tab();
  tab.setItem("pairquiz.search", "{");
  assert.equal(new Kept(tab).search, null);
});

test("a user's token comes before a guest's, and one that was used is not used again", async () => {
  let user: string | null = null;
  const identity = new Identity(new Kept(null), () => user);
  assert.equal(await identity.tokenToUse(), null);
  identity.remember("guest");
  assert.deepEqual([await identity.tokenToUse(), await identity.nextToken()], ["guest", "guest"]);
  user = "user 1";
  assert.deepEqual([await identity.hasAnother(), await identity.tokenToUse()], [true, "user 1"]);
  assert.deepEqual([await identity.hasAnother(), await identity.nextToken()], [false, null]);
  user = "user 2";
  assert.deepEqual([await identity.hasAnother(), await identity.nextToken()], [true, "user 2"]);
});

test("only a guest's own token is forgotten when it is refused", async () => {
  const kept = new Kept(null);
  kept.token = "guest";
  const user = new Identity(kept, () => "user");
  await user.tokenToUse();
  assert.deepEqual([user.forgetRefused(), kept.token], [false, "guest"]);
  const guest = new Identity(kept);
  await guest.tokenToUse();
  assert.deepEqual([guest.forgetRefused(), kept.token, guest.forgetRefused()], [true, null, false]);
});
