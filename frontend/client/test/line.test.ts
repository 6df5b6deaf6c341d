import assert from "node:assert/strict";
import { test } from "node:test";
import { io, type Socket } from "socket.io-client";
import { Identity, type TokenSource } from "../src/identity.js";
import { Kept } from "../src/kept.js";
import { Line, type Listener, type LineOptions } from "../src/line.js";
import type { Heard } from "../src/news.js";
import { welcome } from "./samples.js";

const NOBODY: Listener = { heard() {}, attemptFailed() {}, lost() {}, sentAway() {}, refused() {} };

/** A line that is never opened, and what it would do about coming back; `hears` lets it hear an event. */
function unopened(options: LineOptions = {}, token?: TokenSource) {
  const line = new Line("http://127.0.0.1:9", new Identity(new Kept(null), token), NOBODY, options);
  const socket = Reflect.get(line, "socket") as Socket;
  return {
    socket,
    hears: (event: Heard) => socket["emitEvent"]([event.name, event.payload]),
    pauses: () => [socket.io.reconnectionDelay(), socket.io.reconnectionDelayMax(), socket.io.randomizationFactor()],
  };
}

test("after a server that stops it comes back when that has asked for, and afterwards as usual", () => {
  const line = unopened();
  assert.deepEqual(line.pauses(), [1000, 5000, 0.5]);
  line.hears({ name: "server_draining", payload: { reconnect_in_ms: 17_000 } });
  assert.deepEqual(line.pauses(), [17_000, 17_000, 0]);
  line.hears(welcome());
  assert.deepEqual(line.pauses(), [1000, 5000, 0.5]);
});

test("pauses that an app has chosen stay as they are", () => {
  const line = unopened({ reconnectionDelay: 50, reconnectionDelayMax: 200 });
  line.hears(welcome());
  assert.deepEqual(line.pauses(), [50, 200, 0.5]);
});

test("its pauses are not those of another socket of the app", () => {
  const own = io("http://127.0.0.1:8/chat", { autoConnect: false });
  const line = new Line("http://127.0.0.1:8", new Identity(new Kept(null)), NOBODY);
  assert.notEqual((Reflect.get(line, "socket") as Socket).io, own.io);
});

test("a token that comes when its line is gone is not said on the next one", async () => {
  const tokens: ((token: string) => void)[] = [];
  const { socket } = unopened({}, () => new Promise((resolve) => void tokens.push(resolve)));
  const said: string[] = [];
  const introduce = socket.auth as (say: (auth: { token?: string }) => void) => void;
  introduce(({ token }) => void said.push(`first: ${token}`));
  introduce(({ token }) => void said.push(`second: ${token}`));
  for (const tell of tokens) tell("t");
  await new Promise(setImmediate);
  assert.deepEqual(said, ["second: t"]);
});
