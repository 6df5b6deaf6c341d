// What a client knows at one moment, as one value that nobody changes. The reducer makes the next one of it.
import type {
  AbsenceState,
  Accuracy,
  ErrorCode,
  FindOpponent,
  OpponentState,
  Problem,
  QuestionView,
  QuizResults,
  QuizState,
  RatingChanged,
  Receipt,
  RematchState,
  RoundResult,
  RoundState,
  Series,
  Session,
  SessionExpired,
  YourAnswer,
} from "./contract.js";
import type { Heard } from "./news.js";

/** How the line to the server is. Whatever is `connecting` or `offline` comes back by itself; the last two do not. */
export type Connection =
  /** Nobody has asked for a connection, or it was closed by `close()`. */
  | { readonly status: "idle" }
  /** The first attempts; `failures` in a row have failed. */
  | { readonly status: "connecting"; readonly failures: number }
  /** Welcomed. While `draining` the server is about to stop, and the client comes back by itself. */
  | { readonly status: "online"; readonly draining: boolean }
  /** The line broke; `failures` attempts to come back have failed. */
  | { readonly status: "offline"; readonly failures: number }
  /** The token is over, or the server has sent us away: `connect()` comes back, with the next token. */
  | { readonly status: "expired" }
  /** The server has refused us for good: `connect()` tries again, once something has changed. */
  | { readonly status: "refused"; readonly code: string; readonly message: string };

/** No session begins for a while: in the operator's own words, where there are any, until then, where that is known. */
export interface Maintenance {
  readonly message: string | null;
  readonly until: number | null;
}

/** Who the server says that we are. `user_id` is a secret of guests: do not show it. */
export interface Player {
  readonly user_id: string;
  readonly guest: boolean;
  readonly region: string;
}

/** A search for an opponent; the numbers come every two seconds, and are null before. */
export interface Search {
  readonly wishes: FindOpponent;
  readonly waited_ms: number | null;
  readonly rating_range: number | null;
  readonly seeking: number | null;
}

/** An own answer that is locked. `correct_option` and `receipt` are null where only a reloaded state tells of it. */
export interface LockedAnswer extends Omit<YourAnswer, "answer"> {
  /** The option's index; null for a moment where another window has answered. */
  readonly answer: number | null;
  readonly correct_option: number | null;
  readonly receipt: Receipt | null;
}

/** Why a match is over that has no results. */
export type MatchEnd = SessionExpired["reason"] | "operator" | "opponent_left" | "you_left";

/** One match as this player may see it: the server's `quiz_state`, kept up to date by every event since. */
export interface Match {
  readonly session_id: string;
  /** The path for a frontend's own router, to give to the opponent. */
  readonly join_url: string;
  readonly join_code: string | null;
  readonly topic: string;
  readonly status: QuizState["status"];
  readonly pace: QuizState["pace"];
  readonly scoring: QuizState["scoring"];
  readonly question_count: number;
  /** Seconds a question. */
  readonly time_limit: number;
  /** When it starts by itself, where it does. */
  readonly starts_at: number | null;
  readonly started_at: number | null;
  /** When a match in free pace ends; in rounds `round.closes_at` says when its question does. */
  readonly deadline_at: number | null;
  /** In rounds those that were opened so far. */
  readonly questions: readonly QuestionView[];
  readonly your_answers: Readonly<Record<string, LockedAnswer>>;
  /** Answers that are on their way: by question id, as they were given. */
  readonly pending: Readonly<Record<string, number | string>>;
  readonly your_score: number;
  readonly your_accuracy: Accuracy;
  /** Whether there is nothing more for you to answer. */
  readonly you_completed: boolean;
  /** Why the server counts you as away, where it does. */
  readonly your_absence: AbsenceState | null;
  readonly opponent: OpponentState | null;
  readonly opponent_accuracy: Accuracy | null;
  readonly round: RoundState | null;
  readonly closed_rounds: readonly RoundResult[];
  readonly results: QuizResults | null;
  readonly rating_change: RatingChanged | null;
  readonly end: MatchEnd | null;
  readonly series: Series | null;
  readonly previous_session_id: string | null;
  /** Who has asked for a rematch; null while none can be asked for. */
  readonly rematch: RematchState | null;
  readonly ghost: boolean;
  readonly version: number;
  /** Whether something was missed, so that the client asks for the whole state by itself. */
  readonly missed: boolean;
}

/** A session whose state was asked for and is not here yet, and what was heard of it meanwhile. */
export interface Opening {
  readonly session_id: string;
  readonly heard: readonly Heard[];
}

/**
 * Why something was refused. `closed`: the client was closed first; `withdrawn`: another wish, or another player, came
 * first; `unreachable`: HTTP has found no server.
 */
export interface Refusal extends Omit<Problem, "code"> {
  readonly code: ErrorCode | "closed" | "withdrawn" | "unreachable";
}

/** The last command that was refused, until it is dismissed. */
export interface RefusedCommand extends Refusal {
  readonly command: string;
}

export interface Snapshot {
  readonly connection: Connection;
  readonly player: Player | null;
  /** Null where sessions may begin. */
  readonly maintenance: Maintenance | null;
  /** All live matches of the player, as of the last welcome, less those that have ended since. */
  readonly sessions: readonly Session[];
  readonly search: Search | null;
  readonly opening: Opening | null;
  /** The match that is on screen; it stays when it is over, until `dismiss()` or the next one. */
  readonly match: Match | null;
  readonly problem: RefusedCommand | null;
}

/** What a client knows before it has heard anything but what was kept from before a reload. */
export function initialSnapshot(kept: { session_id?: string | null; search?: FindOpponent | null } = {}): Snapshot {
  return {
    connection: { status: "idle" },
    player: null,
    maintenance: null,
    sessions: [],
    search: kept.search ? { wishes: kept.search, waited_ms: null, rating_range: null, seeking: null } : null,
    opening: kept.session_id ? { session_id: kept.session_id, heard: [] } : null,
    match: null,
    problem: null,
  };
}
