// The client: one match on screen, one snapshot of all that is known, and a method for each thing a player can do.
import { Api } from "./api.js";
import { Attendant, type PairQuizOptions } from "./attendant.js";
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
} from "./contract.js";
import type { Heard } from "./news.js";
import type { CommandName, CommandPayload, ReplyTo, Result } from "./outbox.js";
import type { Refusal, Snapshot } from "./snapshot.js";

export type CreateWishes = Omit<CreatePairQuiz, "user_id" | "request_id">;

const NO_MATCH: Refusal = { code: "wrong_state", message: "There is no match on screen", retry: false };

export class PairQuizClient {
  /** What needs no connection: topics, profile, history, lists of the best. */
  readonly api: Api;

  private readonly attendant: Attendant;

  constructor(options: PairQuizOptions = {}) {
    this.attendant = new Attendant(options);
    this.api = new Api(options.url ?? "", () => this.attendant.token());
  }

  // What is known, and the connection. All of these may be passed on as they are.

  readonly getSnapshot = (): Snapshot => this.attendant.snapshot;

  /** Be called after each change; what is returned ends it. */
  readonly subscribe = (listener: () => void): (() => void) => this.attendant.changes.add(listener);

  /** Hear every event as it comes, after the snapshot has changed: for sounds, words and animations. */
  readonly onEvent = (listener: (event: Heard) => void): (() => void) => this.attendant.events.add(listener);

  /** The server's time, in milliseconds since the epoch. It never goes back. */
  readonly now = (): number => this.attendant.clock.now();

  /** Connect, and stay so. Also after `expired` and `refused`, once there is another token; else it does nothing. */
  readonly connect = (): void => this.attendant.connect();

  /** Go away. What was not answered is answered with `closed`; the match knows us as away. */
  readonly close = (): void => this.attendant.close();

  // Getting into a match.

  /** Open a match that waits for an opponent. */
  async create(wishes: CreateWishes = {}): Promise<Result<QuizCreated>> {
    const reply = await this.attendant.ask("create_pair_quiz", { ...wishes, request_id: randomId() });
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  /** Join a match by its id or its code. */
  async join(where: Pick<JoinPairQuiz, "session_id" | "join_code">): Promise<Result<OpponentJoined>> {
    const reply = await this.attendant.ask("join_pair_quiz", where);
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  /** Follow a link to a session: its players see it, whatever has become of it, and anybody else joins. */
  async visit(session_id: string): Promise<Result<QuizState> | Result<OpponentJoined>> {
    const seen = await this.look(session_id);
    if (seen.ok) return seen;
    return seen.error.code === "not_a_player"
      ? this.join({ session_id })
      : this.attendant.noted("resume_pair_quiz", seen);
  }

  /** Follow a link without joining: `not_a_player` is told to whoever may ask first, and is no `problem`. */
  async look(session_id: string): Promise<Result<QuizState>> {
    return this.attendant.look(session_id);
  }

  /** Show a session that one is a player of. */
  open(session_id: string): void {
    this.attendant.tell({ type: "opening", session_id });
  }

  /** Show no match any more: it goes on at the server, if it is not over. */
  dismiss(): void {
    this.attendant.tell({ type: "match_dismissed" });
  }

  /** Look for somebody who wants the same, until somebody is found or `cancelFind`. */
  async find(wishes: FindOpponent = {}): Promise<Result<ReplyTo<"find_opponent">>> {
    this.attendant.tell({ type: "seeking", wishes });
    return this.attendant.seek(wishes);
  }

  async cancelFind(): Promise<Result<ReplyTo<"cancel_find_opponent">>> {
    this.attendant.tell({ type: "sought_no_more" });
    return this.attendant.ask("cancel_find_opponent", {});
  }

  /** Play against a recorded run. */
  async acceptChallenge(challenge_code: string): Promise<Result<OpponentJoined>> {
    const reply = await this.attendant.ask("accept_challenge", { challenge_code });
    if (reply.ok) this.open(reply.session_id);
    return reply;
  }

  // In the match on screen.

  async start(): Promise<Result<ReplyTo<"start_quiz">>> {
    const reply = await this.ofMatch("start_quiz", {});
    if (reply.ok) this.attendant.tell({ type: "heard", event: { name: "quiz_started", payload: reply } });
    return reply;
  }

  /** Answer a question by the option's index, or by its exact text. It counts once, however often it is sent. */
  async answer(question_id: number, answer: number | string): Promise<Result<ReplyTo<"submit_answer">>> {
    const session_id = this.getSnapshot().match?.session_id;
    if (session_id) this.attendant.tell({ type: "answering", session_id, question_id, answer });
    const reply = await this.ofMatch("submit_answer", { question_id, answer });
    if (reply.ok) this.attendant.tell({ type: "heard", event: { name: "answer_submitted", payload: reply } });
    else if (session_id) this.attendant.tell({ type: "answer_refused", session_id, question_id });
    return reply;
  }

  /** Be done: what is not answered counts as wrong. */
  async complete(): Promise<Result<ReplyTo<"quiz_completed">>> {
    const reply = await this.ofMatch("quiz_completed", {});
    if (reply.ok) this.attendant.tell({ type: "completed", reply });
    return reply;
  }

  /** Give up: in a running match the other has won. */
  async leave(): Promise<Result<ReplyTo<"leave_pair_quiz">>> {
    const reply = await this.ofMatch("leave_pair_quiz", {});
    if (reply.ok) this.attendant.tell({ type: "left", reply });
    return reply;
  }

  /** Ask for another match against the same opponent; once both have asked it opens by itself. */
  async requestRematch(): Promise<Result<ReplyTo<"request_rematch">>> {
    const reply = await this.ofMatch("request_rematch", {});
    if (reply.ok) this.attendant.tell({ type: "rematch_asked", reply });
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
    return this.attendant.ask("set_profile", changes);
  }

  dismissProblem(): void {
    this.attendant.tell({ type: "problem_dismissed" });
  }

  private ofMatch<Name extends CommandName>(
    name: Name,
    payload: Omit<CommandPayload<Name>, "session_id">,
  ): Promise<Result<ReplyTo<Name>>> {
    const session_id = this.getSnapshot().match?.session_id;
    if (session_id) return this.attendant.ask(name, { ...payload, session_id } as CommandPayload<Name>);
    return Promise.resolve(this.attendant.noted(name, { ok: false, error: NO_MATCH }));
  }
}

/** Make a client; `connect()` connects it. */
export function createPairQuiz(options?: PairQuizOptions): PairQuizClient {
  return new PairQuizClient(options);
}

/** An id that nobody else makes; `crypto.randomUUID` is missing on pages that are not served over TLS. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
