// What a client does by itself: it comes back, says again what was not answered, asks for what was missed, looks on.
import { ServerClock } from "./clock.js";
import type { FindOpponent, QuizState, Welcome } from "./contract.js";
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
const WISHED_OTHERWISE: Refusal = { code: "withdrawn", message: "Something else was wished for since", retry: false };
const SOMEBODY_ELSE: Refusal = { code: "withdrawn", message: "Somebody else plays here now", retry: false };
/** Of these only the newest counts. */
const SEARCHING = ["find_opponent", "cancel_find_opponent"] as const;
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
  /** The sessions whose state is asked for now. */
  private readonly resuming = new Map<string, Promise<Result<QuizState>>>();
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
    this.giveUp(CLOSED);
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
    if (!result.ok && !isGivenUp(result.error)) {
      this.tell({ type: "problem", problem: { ...result.error, command } });
    }
    return result;
  }

  async seek(wishes: FindOpponent): Promise<Result<ReplyTo<"find_opponent">>> {
    this.outbox.withdraw(SEARCHING, WISHED_OTHERWISE);
    this.isFinding = true;
    const reply = await this.outbox.ask("find_opponent", wishes);
    if (!reply.ok && reply.error.code === "withdrawn") return reply;
    this.isFinding = false;
    if (!reply.ok) this.tell({ type: "sought_no_more" });
    return this.noted("find_opponent", reply);
  }

  seekNoMore(): Promise<Result<ReplyTo<"cancel_find_opponent">>> {
    this.isFinding = false;
    this.outbox.withdraw(SEARCHING, WISHED_OTHERWISE);
    this.tell({ type: "sought_no_more" });
    return this.ask("cancel_find_opponent", {});
  }

  /** Show a session, once its state is here; a refusal is nobody's problem but the caller's. */
  look(session_id: string): Promise<Result<QuizState>> {
    this.tell({ type: "opening", session_id });
    return this.state(session_id);
  }

  /** The whole state of a session, asked for once at a time. */
  private state(session_id: string): Promise<Result<QuizState>> {
    const asked = this.resuming.get(session_id) ?? this.resume(session_id);
    this.resuming.set(session_id, asked);
    return asked;
  }

  private async resume(session_id: string): Promise<Result<QuizState>> {
    const reply = (await this.outbox.ask("resume_pair_quiz", { session_id })) as Result<QuizState>;
    // Given up: it may be asked for anew by now, and is still to be shown.
    if (!reply.ok && isGivenUp(reply.error)) return reply;
    if (reply.ok) this.tell({ type: "heard", event: { name: "quiz_state", payload: reply } });
    else this.tell({ type: "not_opened", session_id });
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
    void this.state(session_id);
  }

  /** Answer all that waits with `refusal`. */
  private giveUp(refusal: Refusal): void {
    this.resuming.clear();
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
    const { player } = this.known;
    if (player !== null && player.user_id !== user_id) this.giveUp(SOMEBODY_ELSE);
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
    if (this.known.connection.status !== "offline") return; // closed meanwhile
    if (hasAnother) this.line.connect();
    else this.tell({ type: "expired" });
  }

  private readonly hurry = (): void => this.line.hurry();
}

/** Whether it was refused by ourselves, which is no problem to show. */
function isGivenUp({ code }: Refusal): boolean {
  return code === "closed" || code === "withdrawn";
}
