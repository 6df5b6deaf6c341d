// Everything that changes what a client knows: what befalls its line, what it hears, what its player does.
import type { Completed, FindOpponent, Left, QuizStarted, RematchReply, ServerToClientEvents } from "./contract.js";
import type { RefusedCommand } from "./snapshot.js";

export type EventName = keyof ServerToClientEvents;
export type Payload<Name extends EventName> = Parameters<ServerToClientEvents[Name]>[0];

/** An event of the server; the reply to a command that is "as" an event is one, too. */
export type Heard = { [Name in EventName]: { readonly name: Name; readonly payload: Payload<Name> } }[EventName];

export type News =
  | { readonly type: "connecting" }
  | { readonly type: "attempt_failed" }
  | { readonly type: "lost" }
  | { readonly type: "expired" }
  | { readonly type: "refused"; readonly code: string; readonly message: string }
  | { readonly type: "closed" }
  /** `given` is the own answer that an acknowledgement is about: the server does not say it again. */
  | { readonly type: "heard"; readonly event: Heard; readonly given?: number | string }
  | { readonly type: "started"; readonly reply: QuizStarted }
  /** The player wants to see a session. */
  | { readonly type: "opening"; readonly session_id: string }
  | {
      readonly type: "answering";
      readonly session_id: string;
      readonly question_id: number;
      readonly answer: number | string;
    }
  | { readonly type: "answer_refused"; readonly session_id: string; readonly question_id: number }
  | { readonly type: "completed"; readonly reply: Completed }
  | { readonly type: "left"; readonly reply: Left }
  | { readonly type: "rematch_asked"; readonly reply: RematchReply }
  | { readonly type: "seeking"; readonly wishes: FindOpponent }
  | { readonly type: "sought_no_more" }
  /** A session cannot be seen: it is unknown, or others'. */
  | { readonly type: "not_opened"; readonly session_id: string }
  | { readonly type: "problem"; readonly problem: RefusedCommand }
  | { readonly type: "problem_dismissed" }
  | { readonly type: "match_dismissed" };
