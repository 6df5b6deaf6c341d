import assert from "node:assert/strict";
import { test } from "node:test";
import { type Later, type Result, Outbox, type Send } from "../src/outbox.js";

type Answer = (reply: Result<object> | null) => void;

/** A server that answers by hand, and a clock that is wound by hand. */
class Desk {
  readonly arrived: { name: string; answer: Answer }[] = [];
  readonly pauses: { ms: number; act: () => void; cancelled: boolean }[] = [];
  readonly outbox: Outbox;

  constructor() {
    const send: Send = (name, _, answer) => void this.arrived.push({ name, answer });
    const wait: Later = (ms, act) => {
      const pause = { ms, act, cancelled: false };
      this.pauses.push(pause);
      return () => void (pause.cancelled = true);
    };
    this.outbox = new Outbox(send, wait);
  }

  get names(): string[] {
    return this.arrived.map(({ name }) => name);
  }

  reply(place: number, reply: Result<object> | null): void {
    this.arrived[place]?.answer(reply);
  }
}

const DONE = { ok: true } as const;
const refusal = (code: "too_late" | "internal" | "rate_limited" | "storage_unavailable", retry_in_ms?: number) =>
  ({
    ok: false,
    error: { code, message: "…", retry: code !== "too_late", ...(retry_in_ms === undefined ? {} : { retry_in_ms }) },
  }) as const;

test("nothing goes out before there is a line, and then everything does, in its order", async () => {
  const desk = new Desk();
  const first = desk.outbox.ask("start_quiz", { session_id: "a" });
  const second = desk.outbox.ask("set_profile", {});
  assert.deepEqual(desk.names, []);
  desk.outbox.open();
  assert.deepEqual(desk.names, ["start_quiz", "set_profile"]);
  desk.reply(1, DONE);
  desk.reply(0, DONE);
  assert.deepEqual([(await first).ok, (await second).ok, desk.outbox.size], [true, true, 0]);
});

test("what was not answered on a broken line is sent on the next one, and counts by its first answer", async () => {
  const desk = new Desk();
  desk.outbox.open();
  const asked = desk.outbox.ask("start_quiz", { session_id: "a" });
  desk.outbox.shut();
  desk.reply(0, null);
  assert.equal(desk.arrived.length, 1);
  desk.outbox.open();
  assert.equal(desk.arrived.length, 2);
  desk.reply(1, DONE);
  desk.reply(0, refusal("too_late")); // an answer of the old line, late
  assert.equal((await asked).ok, true);
});

test("what gets no answer on a line that stands is sent again", () => {
  const desk = new Desk();
  desk.outbox.open();
  void desk.outbox.ask("start_quiz", { session_id: "a" });
  desk.reply(0, null);
  assert.equal(desk.arrived.length, 2);
});

test("a refusal is final unless the server says that it may be tried again", async () => {
  const desk = new Desk();
  desk.outbox.open();
  const asked = desk.outbox.ask("start_quiz", { session_id: "a" });
  desk.reply(0, refusal("too_late"));
  const outcome = await asked;
  assert.equal(!outcome.ok && outcome.error.code, "too_late");
});

test("what may be tried again waits as long as the server says, else longer each time", () => {
  const desk = new Desk();
  desk.outbox.open();
  void desk.outbox.ask("start_quiz", { session_id: "a" });
  desk.reply(0, refusal("rate_limited", 321));
  desk.pauses[0]?.act();
  desk.reply(1, refusal("storage_unavailable"));
  desk.pauses[1]?.act();
  desk.reply(2, refusal("storage_unavailable"));
  assert.deepEqual(desk.pauses.map(({ ms }) => ms), [321, 1000, 2000]);
  desk.outbox.shut();
  assert.equal(desk.pauses[2]?.cancelled, true);
});

test("a server that fails on a command again and again is not asked for ever", async () => {
  const desk = new Desk();
  desk.outbox.open();
  const asked = desk.outbox.ask("start_quiz", { session_id: "a" });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    desk.reply(attempt, refusal("internal"));
    desk.pauses[attempt]?.act();
  }
  assert.equal((await asked).ok, false);
  assert.equal(desk.arrived.length, 5);
});

test("whoever closes gets an answer to everything", async () => {
  const desk = new Desk();
  const asked = desk.outbox.ask("start_quiz", { session_id: "a" });
  desk.outbox.clear({ code: "closed", message: "…", retry: true });
  const outcome = await asked;
  assert.equal(!outcome.ok && outcome.error.code, "closed");
});
