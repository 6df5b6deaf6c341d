import assert from "node:assert/strict";
import { test } from "node:test";
import type { PairQuizOptions } from "../src/attendant.js";
import { createPairQuiz, type PairQuizClient } from "../src/client.js";
import type { Identity } from "../src/identity.js";
import type { Line, Listener } from "../src/line.js";
import type { Heard } from "../src/news.js";
import type { CommandName, Result } from "../src/outbox.js";
import { ID, state, welcome } from "./samples.js";

interface Sent {
  readonly name: CommandName;
  readonly payload: object;
  readonly answer: (reply: Result<object> | null) => void;
}

/** A client whose server is played by hand. */
class Stage {
  readonly quiz: PairQuizClient;
  readonly sent: Sent[] = [];
  connects = 0;
  private readonly listener: Listener;

  constructor(options: PairQuizOptions = {}) {
    this.quiz = createPairQuiz({ url: "http://127.0.0.1:9", storage: null, ...options });
    const line = Reflect.get(Reflect.get(this.quiz, "attendant") as object, "line") as Line;
    this.listener = Reflect.get(line, "listener") as Listener;
    line.connect = () => void (this.connects += 1);
    line.close = () => {};
    line.send = (name, payload, answer) => {
      if (name !== "sync_clock") this.sent.push({ name, payload, answer });
    };
  }

  get names(): string[] {
    return this.sent.map(({ name }) => name);
  }

  /** Let it come in as a player. */
  comeIn(user_id = "guest:1"): this {
    this.quiz.connect();
    this.hears(welcome({ user_id }));
    return this;
  }

  /** Let it look for the token with which it comes. */
  async introduces(): Promise<void> {
    const attendant = Reflect.get(this.quiz, "attendant") as object;
    await (Reflect.get(attendant, "identity") as Identity).tokenToUse();
  }

  hears(event: Heard): void {
    this.listener.heard(event);
  }

  loseLine(): void {
    this.listener.lost();
  }

  sendAway(): void {
    this.listener.sentAway();
  }

  /** Answer all that was sent by a name. */
  async answer(name: CommandName, reply: object | null): Promise<void> {
    for (const one of this.sent.filter((sent) => sent.name === name)) {
      one.answer(reply && ({ ok: true, ...reply } as Result<object>));
    }
    await settled();
  }
}

const settled = () => new Promise(setImmediate);

test("a page that is mounted twice, as React does it in development, shows the session of its link", async () => {
  const stage = new Stage();
  void stage.quiz.look(ID);
  stage.quiz.connect();
  stage.quiz.close();
  const looked = stage.quiz.look(ID);
  stage.comeIn();
  await settled();
  await stage.answer("resume_pair_quiz", state());
  assert.equal((await looked).ok, true);
  assert.deepEqual([stage.quiz.getSnapshot().match?.session_id, stage.quiz.getSnapshot().problem], [ID, null]);
  stage.quiz.close();
});

test("a session is asked for once at a time, whoever wants to see it", async () => {
  const stage = new Stage().comeIn();
  const both = [stage.quiz.look(ID), stage.quiz.look(ID)];
  assert.deepEqual(stage.names, ["resume_pair_quiz"]);
  await stage.answer("resume_pair_quiz", state());
  assert.deepEqual((await Promise.all(both)).map(({ ok }) => ok), [true, true]);
  stage.quiz.close();
});

test("a search that was given up is not repeated behind its end", async () => {
  const stage = new Stage().comeIn();
  const found = stage.quiz.find({ topic: "Rivers" });
  const cancelled = stage.quiz.cancelFind();
  await stage.answer("find_opponent", null);
  await stage.answer("cancel_find_opponent", { seeking: false });
  assert.deepEqual(stage.names, ["find_opponent", "cancel_find_opponent"]);
  const outcome = await found;
  assert.equal(outcome.ok ? null : outcome.error.code, "withdrawn");
  assert.equal((await cancelled).ok, true);
  assert.deepEqual([stage.quiz.getSnapshot().search, stage.quiz.getSnapshot().problem], [null, null]);
  stage.quiz.close();
});

test("of two searches the later one is looked on with", async () => {
  const stage = new Stage().comeIn();
  void stage.quiz.find({ topic: "Rivers" });
  void stage.quiz.find({ topic: "Rivers", accept_ghost: true });
  stage.loseLine();
  stage.sent.length = 0;
  stage.hears(welcome());
  assert.deepEqual(stage.sent.map(({ payload }) => payload), [{ topic: "Rivers", accept_ghost: true }]);
  assert.deepEqual(stage.quiz.getSnapshot().search?.wishes, { topic: "Rivers", accept_ghost: true });
  stage.quiz.close();
});

test("what one has wished is not asked for in the name of the next who signs in", async () => {
  const stage = new Stage().comeIn("ada");
  const named = stage.quiz.setProfile({ display_name: "Ada" });
  stage.loseLine();
  stage.sent.length = 0;
  stage.hears(welcome({ user_id: "ben" }));
  const outcome = await named;
  assert.deepEqual([stage.names, outcome.ok ? null : outcome.error.code], [[], "withdrawn"]);
  stage.quiz.close();
});

test("a client that was closed while its app looked for a token stays away", async () => {
  let tell = (_: string) => {};
  const stage = new Stage({ token: () => new Promise<string>((resolve) => void (tell = resolve)) }).comeIn();
  stage.sendAway();
  stage.quiz.close();
  tell("next");
  await settled();
  assert.deepEqual([stage.connects, stage.quiz.getSnapshot().connection], [1, { status: "idle" }]);
});

test("a token that has followed another one is the one in use: it does not follow itself", async () => {
  let token = "first";
  const stage = new Stage({ token: () => token }).comeIn();
  await stage.introduces();
  token = "second";
  stage.hears({ name: "token_expiring", payload: { expires_at: 1 } });
  await settled();
  await stage.answer("refresh_token", { expires_at: 2 });
  stage.sendAway();
  await settled();
  assert.deepEqual([stage.connects, stage.quiz.getSnapshot().connection], [1, { status: "expired" }]);
  stage.quiz.close();
});

test("whoever starts a match hears of it once", async () => {
  const stage = new Stage().comeIn();
  void stage.quiz.look(ID);
  await stage.answer("resume_pair_quiz", state({ status: "ready", questions: [], version: 2 }));
  const heard: string[] = [];
  stage.quiz.onEvent(({ name }) => void heard.push(name));
  const { questions, time_limit, deadline_at, pace, scoring } = state();
  const started = { session_id: ID, questions, time_limit, started_at: 1000, deadline_at, pace, scoring, version: 3 };
  void stage.quiz.start();
  await stage.answer("start_quiz", started);
  assert.equal(stage.quiz.getSnapshot().match?.status, "in_progress");
  stage.hears({ name: "quiz_started", payload: started });
  assert.deepEqual(heard, ["quiz_started"]);
  stage.quiz.close();
});

test("a slash behind the address is none of the path", async (context) => {
  const asked: string[] = [];
  context.mock.method(globalThis, "fetch", async (url: string) => {
    asked.push(url);
    return new Response("{}");
  });
  await createPairQuiz({ url: "http://127.0.0.1:9/", storage: null }).api.topics();
  assert.deepEqual(asked, ["http://127.0.0.1:9/api/topics/"]);
});
