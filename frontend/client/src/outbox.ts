// Commands that were not answered yet. What was sent may have been lost: it goes out again until it is answered.
import type { Commands } from "./contract.js";
import type { Refusal } from "./snapshot.js";

export type CommandName = keyof Commands;
export type CommandPayload<Name extends CommandName> = Commands[Name]["payload"];
/** What a command answers, `ok` apart. */
export type ReplyTo<Name extends CommandName> = Commands[Name]["reply"];

/** What became of a command. It never throws: look at `ok`. */
export type Result<Reply> = ({ readonly ok: true } & Reply) | { readonly ok: false; readonly error: Refusal };

/** Brings a command to the server, and calls back once: with its answer, or with null where none came. */
export type Send = (name: CommandName, payload: object, answered: (reply: Result<object> | null) => void) => void;

/** Calls back after so many milliseconds, and can be told not to. */
export type Later = (ms: number, act: () => void) => () => void;

interface Entry {
  readonly name: CommandName;
  readonly payload: object;
  readonly settle: (outcome: Result<object>) => void;
  failures: number;
  cancel: () => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
/** After so many faults of the server's own a command is given up; whatever else may be tried again is, for ever. */
const FAULTS_MAX = 5;

export const later: Later = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** Keeps every command until it is answered. Nothing is sent while it is shut. */
export class Outbox {
  private readonly entries = new Set<Entry>();
  private isOpen = false;

  constructor(
    private readonly send: Send,
    private readonly wait: Later = later,
  ) {}

  /** How many commands are not answered yet. */
  get size(): number {
    return this.entries.size;
  }

  /** Send a command, now or as soon as there is a line; its repeats are the server's to recognise. */
  ask<Name extends CommandName>(name: Name, payload: CommandPayload<Name>): Promise<Result<ReplyTo<Name>>> {
    return new Promise((resolve) => {
      const settle = resolve as (outcome: Result<object>) => void;
      const entry: Entry = { name, payload: payload as object, settle, failures: 0, cancel: () => {} };
      this.entries.add(entry);
      if (this.isOpen) this.transmit(entry);
    });
  }

  /** A line is there: everything that is not answered goes out, in its order. */
  open(): void {
    this.isOpen = true;
    for (const entry of this.entries) this.transmit(entry);
  }

  /** The line is gone: everything waits for the next one. */
  shut(): void {
    this.isOpen = false;
    for (const entry of this.entries) entry.cancel();
  }

  /** Give everything up, and answer it with `refusal`. */
  clear(refusal: Refusal): void {
    this.shut();
    for (const entry of this.entries) this.settle(entry, { ok: false, error: refusal });
  }

  /** Send those commands no more, and answer them with `refusal`: a repeat of theirs would undo what came after. */
  withdraw(names: readonly CommandName[], refusal: Refusal): void {
    for (const entry of this.entries) {
      if (names.includes(entry.name)) this.settle(entry, { ok: false, error: refusal });
    }
  }

  private transmit(entry: Entry): void {
    entry.cancel();
    this.send(entry.name, entry.payload, (reply) => {
      if (!this.entries.has(entry)) return;
      if (reply === null) {
        if (this.isOpen) this.transmit(entry);
      } else if (reply.ok || !reply.error.retry || this.givesUp(entry, reply.error)) {
        this.settle(entry, reply);
      } else {
        entry.failures += 1;
        entry.cancel();
        entry.cancel = this.wait(pause(entry.failures, reply.error), () => {
          if (this.isOpen) this.transmit(entry);
        });
      }
    });
  }

  private givesUp(entry: Entry, error: Refusal): boolean {
    return error.code === "internal" && entry.failures + 1 >= FAULTS_MAX;
  }

  private settle(entry: Entry, outcome: Result<object>): void {
    entry.cancel();
    this.entries.delete(entry);
    entry.settle(outcome);
  }
}

/** How long to wait before the next try: as long as the server asks for, else longer each time. */
function pause(failures: number, error: Refusal): number {
  return error.retry_in_ms ?? Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}
