// The client: one match on screen, one snapshot of all that is known, and a method for each thing a player can do.
import { Api } from "./api.js";
import { ServerClock } from "./clock.js";
import type {
  ChallengeCreated,
  CreatePairQuiz,
  FindOpponent,
  JoinPairQuiz,
  OpponentJoined,
  QuizCreated,
  QuizState,
  ReportReason,
  SetProfile,
  Welcome,
} from "./contract.js";
import { Identity, type TokenSource } from "./identity.js";
import { defaultStorage, Kept, type TextStorage } from "./kept.js";
import { Line, type LineOptions, type Listener } from "./line.js";
import type { Heard, News } from "./news.js";
import { type CommandName, type CommandPayload, later, type Result, Outbox, type ReplyTo } from "./outbox.js";
import { reduce, wanted } from "./reducer.js";
import { initialSnapshot, type Refusal, type Snapshot } from "./snapshot.js";

export interface PairQuizOptions {
  /** Where the server is; in a browser the page's own origin where nothing is said. */
  readonly url?: string;
  /** Says the user's newest token. Without it, or while it says null, one plays as a guest. */
  readonly token?: TokenSource;
  /** What outlives a reload; `null` for nothing. In browsers `sessionStorage`: each tab is a player of its own. */
  readonly storage?: TextStorage | null;
  /** Further options of socket.io-client. */
  readonly socket?: LineOptions;
}

export type CreateWishes = Omit<CreatePairQuiz, "user_id" | "request_id">;

const CLOSED: Refusal = { code: "closed", message: "The client was closed", retry: true };
const WISHED_OTHERWISE: Refusal = {
  code: "withdrawn",
  message: "Something else was wished for since",
  retry: false,
};
const SOMEBODY_ELSE: Refusal = {
  code: "withdrawn",
  message: "Somebody else plays here now",
  retry: false,
};
const NO_MATCH: Refusal = { code: "wrong_state", message: "There is no match on screen", retry: false };
/** Of these only the newest counts. */
const SEARCHING = ["find_opponent", "cancel_find_opponent"] as const;
const CLOCK_TRIPS = 5;
const CLOCK_EVERY_MS = 30_000;
const ASK_AGAIN_MS = 300;

export class PairQuizClient {
  /** What needs no connection: topics, profile, history, lists of the best. */
  readonly api: Api;

  private snapshot: Snapshot;
  private readonly listeners = new Set<() => void>();
  private readonly eventListeners = new Set<(event: Heard) => void>();
  private readonly kept: Kept;
  private readonly identity: Identity;
  private readonly clock = new ServerClock();
  private readonly line: Line;
  private readonly outbox: Outbox;
  /** The sessions whose state is asked for now. */
  private readonly asked = new Map<string, Promise<Result<QuizState>>>();
  private isFinding = false;
  private stopClock = () => {};

  constructor(options: PairQuizOptions = {}) {
    this.kept = new Kept(options.storage === undefined ? defaultStorage() : options.storage);
    this.identity = new Identity(this.kept, options.token);
    this.snapshot = initialSnapshot(this.kept);
    this.line = new Line(options.url, this.identity, this.listener(), options.socket);
    this.outbox = new Outbox((name, payload, answered) => this.line.send(name, payload, answered));
    this.api = new Api(options.url ?? "", () => this.identity.token());
  }

  // What is known. All of these may be passed on as they are.

  readonly getSnapshot = (): Snapshot => this.snapshot;

  /** Be called after each change; what is returned ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** Hear every event as it comes, after the snapshot has changed: for sounds, words and animations. */
  readonly onEvent = (listener: (event: Heard) => void): (() => void) => {
    this.eventListeners.add(listener);
    return () => void this.eventListeners.delete(listener);
  };

  /** The server's time, in milliseconds since the epoch. It never goes back. */
  readonly now = (): number => this.clock.now();

  // The connection.

  /** Connect, and stay so. Also after `expired` and `refused`, once there is another token; else it does nothing. */
  readonly connect = (): void => {
    const { status } = this.snapshot.connection;
    if (status === "connecting" || status === "online" || status === "offline") return;
    this.tell({ type: "connecting" });
    globalThis.addEventListener?.("online", this.hurry);
    this.line.connect();
  };

  /** Go away. What was not answered is answered with `closed`; the match knows us as away. */
  readonly close = (): void => {
    globalThis.removeEventListener?.("online", this.hurry);
    this.stopClock();
    this.giveUp(CLOSED);
    this.line.close();
    this.tell({ type: "closed" });
  };

  // Getting into a match.

  /** Open a match that waits for an opponent. */
  async create(wishes: CreateWishes = {}): Promise<Result<QuizCreated>> {
    const reply = await this.command("create_pair_quiz", { ...wishes, request_id: randomId() });
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  /** Join a match by its id or its code. */
  async join(where: Pick<JoinPairQuiz, "session_id" | "join_code">): Promise<Result<OpponentJoined>> {
    const reply = await this.command("join_pair_quiz", where);
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  /** Follow a link to a session: its players see it, whatever has become of it, and anybody else joins. */
  async visit(session_id: string): Promise<Result<QuizState> | Result<OpponentJoined>> {
    const seen = await this.look(session_id);
    if (seen.ok) return seen;
    return seen.error.code === "not_a_player" ? this.join({ session_id }) : this.refused("resume_pair_quiz", seen);
  }

  /** Follow a link without joining: `not_a_player` is told to whoever may ask first, and is no `problem`. */
  look(session_id: string): Promise<Result<QuizState>> {
    this.open(session_id);
    return this.state(session_id);
  }

  /** Show a session that one is a player of. */
  open(session_id: string): void {
    this.tell({ type: "opening", session_id });
  }

  /** Show no match any more: it goes on at the server, if it is not over. */
  dismiss(): void {
    this.tell({ type: "match_dismissed" });
  }

  /** Look for somebody who wants the same, until somebody is found or `cancelFind`. */
  find(wishes: FindOpponent = {}): Promise<Result<ReplyTo<"find_opponent">>> {
    this.tell({ type: "seeking", wishes });
    return this.seek(wishes);
  }

  cancelFind(): Promise<Result<ReplyTo<"cancel_find_opponent">>> {
    this.isFinding = false;
    this.outbox.withdraw(SEARCHING, WISHED_OTHERWISE);
    this.tell({ type: "sought_no_more" });
    return this.command("cancel_find_opponent", {});
  }

  /** Play against a recorded run. */
  async acceptChallenge(challenge_code: string): Promise<Result<OpponentJoined>> {
    const reply = await this.command("accept_challenge", { challenge_code });
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  // In the match on screen.

  async start(): Promise<Result<ReplyTo<"start_quiz">>> {
    const reply = await this.ofMatch("start_quiz", {});
    if (reply.ok) this.tell({ type: "started", reply });
    return reply;
  }

  /** Answer a question by the option's index, or by its exact text. It counts once, however often it is sent. */
  async answer(question_id: number, answer: number | string): Promise<Result<ReplyTo<"submit_answer">>> {
    const session_id = this.snapshot.match?.session_id;
    if (session_id) this.tell({ type: "answering", session_id, question_id, answer });
    const reply = await this.ofMatch("submit_answer", { question_id, answer });
    if (reply.ok) this.tell({ type: "heard", event: { name: "answer_submitted", payload: reply }, given: answer });
    else if (session_id) this.tell({ type: "answer_refused", session_id, question_id });
    return reply;
  }

  /** Be done: what is not answered counts as wrong. */
  async complete(): Promise<Result<ReplyTo<"quiz_completed">>> {
    const reply = await this.ofMatch("quiz_completed", {});
    if (reply.ok) this.tell({ type: "completed", reply });
    return reply;
  }

  /** Give up: in a running match the other has won. */
  async leave(): Promise<Result<ReplyTo<"leave_pair_quiz">>> {
    const reply = await this.ofMatch("leave_pair_quiz", {});
    if (reply.ok) this.tell({ type: "left", reply });
    return reply;
  }

  /** Ask for another match against the same opponent; once both have asked it opens by itself. */
  async requestRematch(): Promise<Result<ReplyTo<"request_rematch">>> {
    const reply = await this.ofMatch("request_rematch", {});
    if (reply.ok) this.tell({ type: "rematch_asked", reply });
    return reply;
  }

  /** A link to one's own run in the match on screen. */
  createChallenge(): Promise<Result<ChallengeCreated>> {
    return this.ofMatch("create_challenge", {});
  }

  reportQuestion(
    question_id: number,
    reason: ReportReason,
    note?: string,
  ): Promise<Result<ReplyTo<"report_question">>> {
    return this.ofMatch("report_question", { question_id, reason, ...(note === undefined ? {} : { note }) });
  }

  /** Find the opponent of the match on screen no more. */
  block(): Promise<Result<ReplyTo<"block_player">>> {
    return this.ofMatch("block_player", {});
  }

  unblock(): Promise<Result<ReplyTo<"unblock_player">>> {
    return this.ofMatch("unblock_player", {});
  }

  // The rest.

  setProfile(changes: SetProfile): Promise<Result<ReplyTo<"set_profile">>> {
    return this.command("set_profile", changes);
  }

  dismissProblem(): void {
    this.tell({ type: "problem_dismissed" });
  }

  private async command<Name extends CommandName>(
    name: Name,
    payload: CommandPayload<Name>,
  ): Promise<Result<ReplyTo<Name>>> {
    return this.refused(name, await this.outbox.ask(name, payload));
  }

  private ofMatch<Name extends CommandName>(
    name: Name,
    payload: Omit<CommandPayload<Name>, "session_id">,
  ): Promise<Result<ReplyTo<Name>>> {
    const session_id = this.snapshot.match?.session_id;
    if (session_id) return this.command(name, { ...payload, session_id } as CommandPayload<Name>);
    return Promise.resolve(this.refused(name, { ok: false, error: NO_MATCH }));
  }

  private refused<Reply>(command: string, outcome: Result<Reply>): Result<Reply> {
    if (!outcome.ok && !isGivenUp(outcome.error)) {
      this.tell({ type: "problem", problem: { ...outcome.error, command } });
    }
    return outcome;
  }

  private async seek(wishes: FindOpponent): Promise<Result<ReplyTo<"find_opponent">>> {
    this.outbox.withdraw(SEARCHING, WISHED_OTHERWISE);
    this.isFinding = true;
    const reply = await this.outbox.ask("find_opponent", wishes);
    if (!reply.ok && reply.error.code === "withdrawn") return reply;
    this.isFinding = false;
    if (!reply.ok) this.tell({ type: "sought_no_more" });
    return this.refused("find_opponent", reply);
  }

  /** Take up news: the next snapshot, what of it is kept, who is told, and what has to be asked for because of it. */
  private tell(news: News): void {
    const before = this.snapshot;
    this.snapshot = reduce(before, news);
    if (this.snapshot !== before) {
      this.keep();
      for (const listener of [...this.listeners]) listener();
    }
    if (news.type === "heard") for (const listener of [...this.eventListeners]) listener(news.event);
    this.askForWhatIsMissing();
  }

  private keep(): void {
    const { opening, match, search } = this.snapshot;
    this.kept.session_id = opening?.session_id ?? match?.session_id ?? null;
    this.kept.search = search?.wishes ?? null;
  }

  private askForWhatIsMissing(): void {
    const session_id = wanted(this.snapshot);
    if (session_id === null || this.snapshot.connection.status !== "online" || this.asked.has(session_id)) return;
    void this.state(session_id);
  }

  /** The whole state of a session, asked for once at a time. */
  private state(session_id: string): Promise<Result<QuizState>> {
    const asked = this.asked.get(session_id) ?? this.resume(session_id);
    this.asked.set(session_id, asked);
    return asked;
  }

  private async resume(session_id: string): Promise<Result<QuizState>> {
    const reply = (await this.outbox.ask("resume_pair_quiz", { session_id })) as Result<QuizState>;
    // Given up: it may be asked for anew by now, and is still to be shown.
    if (!reply.ok && isGivenUp(reply.error)) return reply;
    if (reply.ok) this.tell({ type: "heard", event: { name: "quiz_state", payload: reply } });
    else this.tell({ type: "not_opened", session_id });
    this.asked.delete(session_id);
    // A state may be older than what was heard meanwhile.
    if (wanted(this.snapshot) === session_id) later(ASK_AGAIN_MS, () => this.askForWhatIsMissing());
    else this.askForWhatIsMissing();
    return reply;
  }

  /** Answer all that waits with `refusal`. */
  private giveUp(refusal: Refusal): void {
    this.asked.clear();
    this.isFinding = false;
    this.outbox.clear(refusal);
  }

  private listener(): Listener {
    return {
      heard: (event) => {
        if (event.name === "welcome") this.welcomed(event.payload);
        this.tell({ type: "heard", event });
        if (event.name === "welcome") this.goOn();
        if (event.name === "token_expiring") void this.renew();
      },
      attemptFailed: () => this.tell({ type: "attempt_failed" }),
      lost: () => {
        this.outbox.shut();
        this.tell({ type: "lost" });
      },
      sentAway: () => void this.sentAway(),
      refused: (code, message) => {
        this.outbox.shut();
        this.tell({ type: "refused", code, message });
      },
    };
  }

  /** What one player has wished is not asked for in the name of another, who has signed in since. */
  private welcomed({ server_time, user_id }: Welcome): void {
    this.clock.restart(server_time);
    const { player } = this.snapshot;
    if (player !== null && player.user_id !== user_id) this.giveUp(SOMEBODY_ELSE);
  }

  /** Whoever is welcomed says again what was not answered, looks on, and asks what time it is. */
  private goOn(): void {
    const isFinding = this.isFinding;
    this.outbox.open();
    if (this.snapshot.search && !isFinding) void this.seek(this.snapshot.search.wishes);
    this.stopClock();
    this.syncClock(CLOCK_TRIPS);
  }

  /** Measure some round trips now, one after the other, and again every while. */
  private syncClock(trips: number): void {
    const learn = this.clock.roundTrip();
    this.line.send("sync_clock", {}, (reply) => {
      if (this.snapshot.connection.status !== "online") return;
      if (reply?.ok) learn((reply as unknown as ReplyTo<"sync_clock">).server_time);
      if (trips > 1) this.syncClock(trips - 1);
      else this.stopClock = later(CLOCK_EVERY_MS, () => this.syncClock(CLOCK_TRIPS));
    });
  }

  private async renew(): Promise<void> {
    const token = await this.identity.nextToken();
    if (token === null) return;
    this.line.send("refresh_token", { token }, (reply) => {
      if (reply?.ok) this.identity.taken(token);
      const guestToken = reply?.ok && (reply as unknown as ReplyTo<"refresh_token">).guest_token;
      if (guestToken) this.identity.remember(guestToken);
    });
  }

  /** The server has ended the connection: another token comes back at once, the same one would be sent away again. */
  private async sentAway(): Promise<void> {
    this.outbox.shut();
    this.tell({ type: "lost" });
    const hasAnother = await this.identity.hasAnother();
    if (this.snapshot.connection.status !== "offline") return; // closed meanwhile
    if (hasAnother) this.line.connect();
    else this.tell({ type: "expired" });
  }

  private readonly hurry = (): void => this.line.hurry();
}

/** Make a client; `connect()` connects it. */
export function createPairQuiz(options?: PairQuizOptions): PairQuizClient {
  return new PairQuizClient(options);
}

/** Whether it was refused by ourselves, which is no problem to show. */
function isGivenUp({ code }: Refusal): boolean {
  return code === "closed" || code === "withdrawn";
}

/** An id that nobody else makes; `crypto.randomUUID` is missing on pages that are not served over TLS. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
