// What a client does by itself: it comes back, says again what was not answered, asks for what was missed, looks on.
import { ServerClock } from "./clock.js";
import type { FindOpponent, QuizState } from "./contract.js";
import { Identity, type TokenSource } from "./identity.js";
import { defaultStorage, Kept, type TextStorage } from "./kept.js";
import { Line, type LineOptions, type Listener } from "./line.js";
import { Listeners } from "./listeners.js";
import type { Heard, News } from "./news.js";
import { type CommandName, type CommandPayload, later, Outbox, type ReplyTo, type Result } from "./outbox.js";
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

const CLOSED: Refusal = { code: "closed", message: "The client was closed", retry: true };
const CLOCK_TRIPS = 5;
const CLOCK_EVERY_MS = 30_000;
const ASK_AGAIN_MS = 300;

export class Attendant {
  readonly changes = new Listeners<void>();
  readonly events = new Listeners<Heard>();
  readonly clock = new ServerClock();
  private known: Snapshot;
  private readonly kept: Kept;
  private readonly identity: Identity;
  private readonly line: Line;
  private readonly outbox: Outbox;
  private readonly resuming = new Set<string>();
  private isFinding = false;
  private stopClock = () => {};

  constructor(options: PairQuizOptions) {
    this.kept = new Kept(options.storage === undefined ? defaultStorage() : options.storage);
    this.identity = new Identity(this.kept, options.token);
    this.known = initialSnapshot(this.kept);
    this.line = new Line(options.url, this.identity, this.listener(), options.socket);
    this.outbox = new Outbox((name, payload, answered) => this.line.send(name, payload, answered));
  }

  get snapshot(): Snapshot {
    return this.known;
  }

  /** The newest token; null for a guest who has none yet. */
  token(): Promise<string | null> {
    return this.identity.token();
  }

  connect(): void {
    const { status } = this.known.connection;
    if (status === "connecting" || status === "online" || status === "offline") return;
    this.tell({ type: "connecting" });
    globalThis.addEventListener?.("online", this.hurry);
    this.line.connect();
  }

  close(): void {
    globalThis.removeEventListener?.("online", this.hurry);
    this.stopClock();
    this.outbox.clear(CLOSED);
    this.line.close();
    this.tell({ type: "closed" });
  }

  /** Take up news: the next snapshot, what of it is kept, who is told, and what has to be asked for because of it. */
  tell(news: News): void {
    const before = this.known;
    this.known = reduce(before, news);
    if (this.known !== before) {
      this.keep();
      this.changes.tell();
    }
    if (news.type === "heard") this.events.tell(news.event);
    this.askForWhatIsMissing();
  }

  /** Send a command until it is answered. */
  async ask<Name extends CommandName>(name: Name, payload: CommandPayload<Name>): Promise<Result<ReplyTo<Name>>> {
    return this.noted(name, await this.outbox.ask(name, payload));
  }

  /** Note what was refused, and return what became of a command. */
  noted<Reply>(command: string, result: Result<Reply>): Result<Reply> {
    if (!result.ok) this.tell({ type: "problem", problem: { ...result.error, command } });
    return result;
  }

  async seek(wishes: FindOpponent): Promise<Result<ReplyTo<"find_opponent">>> {
    this.isFinding = true;
    const reply = await this.ask("find_opponent", wishes);
    this.isFinding = false;
    if (!reply.ok) this.tell({ type: "sought_no_more" });
    return reply;
  }

  /** Show a session, once its state is here; a refusal is nobody's problem but the caller's. */
  look(session_id: string): Promise<Result<QuizState>> {
    this.resuming.add(session_id);
    this.tell({ type: "opening", session_id });
    return this.resume(session_id);
  }

  private async resume(session_id: string): Promise<Result<QuizState>> {
    this.resuming.add(session_id);
    const reply = (await this.outbox.ask("resume_pair_quiz", { session_id })) as Result<QuizState>;
    if (reply.ok) this.tell({ type: "heard", event: { name: "quiz_state", payload: reply } });
    else if (reply.error.code !== "closed") this.tell({ type: "not_opened", session_id });
    this.resuming.delete(session_id);
    // A state may be older than what was heard meanwhile.
    if (wanted(this.known) === session_id) later(ASK_AGAIN_MS, () => this.askForWhatIsMissing());
    else this.askForWhatIsMissing();
    return reply;
  }

  private keep(): void {
    const { opening, match, search } = this.known;
    this.kept.session_id = opening?.session_id ?? match?.session_id ?? null;
    this.kept.search = search?.wishes ?? null;
  }

  private askForWhatIsMissing(): void {
    const session_id = wanted(this.known);
    if (session_id === null || this.known.connection.status !== "online" || this.resuming.has(session_id)) return;
    void this.resume(session_id);
  }

  private listener(): Listener {
    return {
      heard: (event) => {
        if (event.name === "welcome") this.clock.restart(event.payload.server_time);
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

  /** Whoever is welcomed says again what was not answered, looks on, and asks what time it is. */
  private goOn(): void {
    const isFinding = this.isFinding;
    this.outbox.open();
    if (this.known.search && !isFinding) void this.seek(this.known.search.wishes);
    this.stopClock();
    this.syncClock(CLOCK_TRIPS);
  }

  /** Measure some round trips now, one after the other, and again every while. */
  private syncClock(trips: number): void {
    const learn = this.clock.roundTrip();
    this.line.send("sync_clock", {}, (reply) => {
      if (this.known.connection.status !== "online") return;
      if (reply?.ok) learn((reply as unknown as ReplyTo<"sync_clock">).server_time);
      if (trips > 1) this.syncClock(trips - 1);
      else this.stopClock = later(CLOCK_EVERY_MS, () => this.syncClock(CLOCK_TRIPS));
    });
  }

  private async renew(): Promise<void> {
    const token = await this.identity.nextToken();
    if (token === null) return;
    this.line.send("refresh_token", { token }, (reply) => {
      const guestToken = reply?.ok && (reply as unknown as ReplyTo<"refresh_token">).guest_token;
      if (guestToken) this.identity.remember(guestToken);
    });
  }

  /** The server has ended the connection: another token comes back at once, the same one would be sent away again. */
  private async sentAway(): Promise<void> {
    this.outbox.shut();
    this.tell({ type: "lost" });
    if (await this.identity.hasAnother()) this.line.connect();
    else this.tell({ type: "expired" });
  }

  private readonly hurry = (): void => this.line.hurry();
}
