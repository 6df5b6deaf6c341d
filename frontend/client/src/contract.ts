// Written by scripts/contract from pairquiz_server/protocol. Change it there.

/** The version of the protocol that is described here: to be said as `auth.protocol`. */
export const PROTOCOL = 1;

/** All versions that such a server speaks. */
export const SPOKEN_PROTOCOLS: readonly number[] = [1];

/** What a command is acknowledged by: what its event has, or why it was refused. */
export type Ack<Reply> = ({ ok: true } & Reply) | { ok: false; error: Problem };

/** Why a player counts as away, and until when they may come, where a clock runs. */
export interface AbsenceState {
  /**
   * Why the player counts as away.
   * @example "closed"
   */
  cause: AwayCause;
  /**
   * Until when who is away may come back.
   * @unit ms since the epoch
   * @example 1790000060000
   */
  reconnect_by?: number;
}

/** Play against the run that a code leads to. */
export interface AcceptChallenge {
  /**
   * The code of the challenge, in any spelling.
   * @example "7KQ2M4XA7KQ2"
   */
  challenge_code: string;
}

/** Whose word there is for who a player is: this server's, or the operator's issuer's. */
export type AccountKind =
  | "guest"
  | "user";

/** How many answers are right, apart from all points and from speed. */
export interface Accuracy {
  /**
   * How many answers are right.
   * @unit answers
   * @example 4
   */
  right: number;
  /**
   * How many answers there are.
   * @unit answers
   * @example 5
   */
  answered: number;
  /**
   * How many questions the match has.
   * @unit questions
   * @example 5
   */
  of: number;
}

/** The process lives. */
export interface Alive {
  /**
   * That it does.
   * @example "ok"
   */
  status: "ok";
}

/** Why a player is away: the line broke, the page was closed, or the player gave up. */
export type AwayCause =
  | "connection_lost"
  | "closed"
  | "left";

/** Be brought together with the opponent of a session no more. */
export interface BlockPlayer {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** The reply to `block_player` and `unblock_player`. */
export interface Blocked {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Whether its opponent is blocked now.
   * @example true
   */
  blocked: boolean;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** Look for nobody any more. */
export type CancelFindOpponent = Record<string, never>;

/** The link to one's own run, and what it has scored. */
export interface ChallengeCreated {
  /**
   * The code of a challenge.
   * @example "7KQ2M4XA7KQ2"
   */
  challenge_code: string;
  /**
   * The path of the challenge, for the frontend's own router.
   * @example "/pair-quiz/challenge/7KQ2M4XA7KQ2"
   */
  challenge_url: string;
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  score: number;
  /**
   * When the challenge ends; absent where it holds for ever.
   * @unit ms since the epoch
   * @example 1792592000000
   */
  expires_at?: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** The reply to `sync_clock`. */
export interface ClockSync {
  /**
   * What the client has sent; null where it sent none.
   * @unit ms
   * @example 12345.6
   */
  client_time: number | null;
  /**
   * What the server's clock shows.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  server_time: number;
}

/** The stable names of refusals, as they stand in `error.code` on the wire. */
export type ErrorCode =
  | "not_found"
  | "session_full"
  | "not_a_player"
  | "own_match"
  | "wrong_state"
  | "too_late"
  | "already_answered"
  | "unknown_question"
  | "invalid_payload"
  | "unknown_command"
  | "unauthorized"
  | "unsupported_protocol"
  | "keys_unavailable"
  | "forbidden"
  | "not_enough_questions"
  | "opponent_unavailable"
  | "rate_limited"
  | "too_many_sessions"
  | "too_many_connections"
  | "server_full"
  | "storage_unavailable"
  | "draining"
  | "maintenance"
  | "payload_too_large"
  | "unsupported_media_type"
  | "method_not_allowed"
  | "too_slow"
  | "internal";

/** A refusal, to who has asked for no acknowledgement. */
export interface CommandRefused {
  /**
   * The stable name of the refusal. More may come.
   * @example "not_enough_questions"
   */
  code: ErrorCode;
  /**
   * What is wrong and what to do, in English.
   * @example "The topic 'Art' has 3 of the 5 questions needed"
   */
  message: string;
  /**
   * Whether the same may succeed later, unchanged.
   * @example false
   */
  retry: boolean;
  /**
   * How long to wait before that.
   * @unit ms
   * @example 1200
   */
  retry_in_ms?: number;
  /**
   * How many questions the topic has.
   * @unit questions
   * @example 3
   */
  available?: number;
  /**
   * What was refused: a command, or `connect`.
   * @example "create_pair_quiz"
   */
  command: string;
}

/** `opponent_completed`, and the reply to `quiz_completed`: somebody is done. */
export interface Completed {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The points of who is done.
   * @unit points
   * @example 365
   */
  score: number;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** What a client says of itself as it connects: the `auth` of Socket.IO. */
export interface ConnectAuth {
  /**
   * Who one is: a user's token, or a guest's newest one. Without one, one is a new guest.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"
   */
  token?: string | null;
  /**
   * Which version of the protocol one was written for; the current one where it is not said.
   * @example 1
   */
  protocol?: number | null;
}

/** CONNECT_ERROR: who came is not let in. In the official client it is the event `connect_error`. */
export interface ConnectError {
  /**
   * What is wrong and what to do, in English.
   * @example "A valid token is required"
   */
  message: string;
  /** What a program may go by. */
  data: ConnectProblem;
}

/** The `data` of a CONNECT_ERROR. It is final: coming again unchanged meets the same. */
export interface ConnectProblem {
  /**
   * The stable name of the refusal.
   * @example "unsupported_protocol"
   */
  code: ErrorCode;
  /**
   * Never true.
   * @example false
   */
  retry: boolean;
  /**
   * The versions that are spoken here: with `unsupported_protocol`.
   * @example [1]
   */
  protocols?: number[];
}

/** Get a link to one's own run in a session that was played to its end. */
export interface CreateChallenge {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** Create a match, which waits for an opponent. */
export interface CreatePairQuiz {
  /**
   * What the frontend calls the player. It proves nothing: with a user's token it must be its `sub`.
   * @example 1
   */
  user_id?: number | string | null;
  /**
   * The topic, in any spelling; `General` where none is named.
   * @example "General"
   */
  topic?: string | null;
  /**
   * How many questions the match is to have; as the server is set (5) where it is not said.
   * @unit questions
   * @example 5
   */
  question_count?: number | null;
  /**
   * How long a question is to have; as the server is set (30) where it is not said.
   * @unit s
   * @example 30
   */
  time_limit?: number | null;
  /**
   * How the questions are to be asked; `free` where it is not said.
   * @example "rounds"
   */
  pace?: Pace | null;
  /**
   * What answers are to be worth; `speed_bonus` where it is not said.
   * @example "speed_bonus"
   */
  scoring?: ScoringProfile | null;
  /**
   * A text of one's own: the same again within 24 hours is the same match.
   * @example "b1f0c6de"
   */
  request_id?: string | null;
}

/** How hard a question is, in three levels. */
export type Difficulty =
  | "easy"
  | "medium"
  | "hard";

/** Why a match is over that has a result, as one of its players sees it. */
export type EndedBy =
  | "all_answered"
  | "deadline"
  | "opponent_left"
  | "you_left"
  | "opponent_absent"
  | "you_were_absent";

/** What is stored about the player is being erased. */
export interface Erasing {
  /**
   * That it has begun.
   * @example "erasing"
   */
  status: "erasing";
}

/** Why a match is over that has none. */
export type ExpiredBy =
  | "nobody_joined"
  | "never_started"
  | "both_absent";

/** What every refusal by REST says. */
export interface Failure {
  /** Why it was refused. */
  error: Problem;
}

/** Look for somebody who wants to play the same. */
export interface FindOpponent {
  /**
   * The topic, in any spelling; `General` where none is named.
   * @example "General"
   */
  topic?: string | null;
  /**
   * How many questions the match is to have; as the server is set (5) where it is not said.
   * @unit questions
   * @example 5
   */
  question_count?: number | null;
  /**
   * How long a question is to have; as the server is set (30) where it is not said.
   * @unit s
   * @example 30
   */
  time_limit?: number | null;
  /**
   * How the questions are to be asked; `free` where it is not said.
   * @example "rounds"
   */
  pace?: Pace | null;
  /**
   * What answers are to be worth; `speed_bonus` where it is not said.
   * @example "speed_bonus"
   */
  scoring?: ScoringProfile | null;
  /**
   * Whether a recorded run will do, where nobody is found soon; no where it is not said.
   * @example true
   */
  accept_ghost?: boolean | null;
}

/** How one stands against the opponent of a session, in all matches that both have finished. */
export interface HeadToHead {
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * How many were won.
   * @unit matches
   * @example 25
   */
  won: number;
  /**
   * How many were lost.
   * @unit matches
   * @example 15
   */
  lost: number;
  /**
   * How many were a draw.
   * @unit matches
   * @example 2
   */
  draw: number;
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /** Whom one has played against. */
  opponent: RatedOpponent;
}

/** A page of one's finished matches, the latest first. */
export interface History {
  /** The matches of this page. */
  matches: PastSession[];
  /**
   * What to send as `cursor` for the next page; null on the last one.
   * @example "AQAAAaDEJ2QAim4IBCvQRnK3nddgJ_kHGqo4rW1cPp2m7QbT5w"
   */
  next_cursor: string | null;
}

/** Take the second seat of a match, by its id or by its join code: one of the two is needed. */
export interface JoinPairQuiz {
  /**
   * What the frontend calls the player. It proves nothing: with a user's token it must be its `sub`.
   * @example 1
   */
  user_id?: number | string | null;
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id?: string | null;
  /**
   * The code of the match, in any spelling.
   * @example "7kq2-m4xa"
   */
  join_code?: string | null;
}

/** Give up: in a running match the other has won. */
export interface LeavePairQuiz {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** The reply to `leave_pair_quiz`. */
export interface Left {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Where the match is now.
   * @example "completed"
   */
  status: Status;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** The operator lets no session begin for a while, or does again. Those that there are go on. */
export interface Maintenance {
  /**
   * Whether none begins: whatever would begin one is refused (`maintenance`).
   * @example true
   */
  on: boolean;
  /**
   * What the server's clock shows.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  server_time: number;
  /**
   * What the operator says of it, to be shown; null where nothing is said.
   * @example "Back at noon"
   */
  message?: string;
  /**
   * When it is over; null where that is not known.
   * @unit ms since the epoch
   * @example 1790003600000
   */
  until?: number;
}

/** `answer_submitted` to the other: that something was answered, never what. */
export interface OpponentAnswer {
  /**
   * The question.
   * @example 7
   */
  question_id: number;
  /**
   * Whose answer it is.
   * @example "opponent"
   */
  player: "opponent";
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * How many questions the opponent has answered by now.
   * @unit answers
   * @example 3
   */
  answered: number;
  /**
   * The opponent's points so far.
   * @unit points
   * @example 365
   */
  score: number;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** Who one plays against. */
export interface OpponentBrief {
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * What plays the other seat.
   * @example "player"
   */
  kind: OpponentKind;
}

/** The opponent is away, and may come until `reconnect_by` where a clock runs. */
export interface OpponentDisconnected {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Why the opponent is away.
   * @example "connection_lost"
   */
  cause: AwayCause;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * Until when who is away may come back.
   * @unit ms since the epoch
   * @example 1790000060000
   */
  reconnect_by?: number;
}

/** Two who looked for somebody were brought together; the match starts by itself at `starts_at`. */
export interface OpponentFound {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * Both seats are taken.
   * @example "ready_to_start"
   */
  status: "ready_to_start";
  /** Who one plays against. */
  opponent: OpponentRated;
  /**
   * When the match starts by itself; null where it has begun already.
   * @unit ms since the epoch
   * @example 1790000003000
   */
  starts_at: number | null;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/**
 * Both seats are taken. A match whose players were brought together starts by itself at `starts_at`.
 * A rematch has the match that it follows, and how the series stands.
 */
export interface OpponentJoined {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Both seats are taken.
   * @example "ready_to_start"
   */
  status: "ready_to_start";
  /** Who one plays against. */
  opponent: OpponentPresence;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
  /**
   * When the match starts by itself; `start_quiz` starts it sooner.
   * @unit ms since the epoch
   * @example 1790000003000
   */
  starts_at?: number;
  /**
   * The match that this rematch follows.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  previous_session_id?: string;
  /** How the series stands before this match. */
  series?: Series;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** What plays the other seat: a person, or a recorded run. */
export type OpponentKind =
  | "player"
  | "ghost";

/** The opponent gave up, or did not come back in time. */
export interface OpponentLeft {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
}

/** Who one plays against, and whether they are there. */
export interface OpponentPresence {
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * Whether the opponent has a connection to any server.
   * @example true
   */
  connected: boolean;
  /**
   * What plays the other seat.
   * @example "player"
   */
  kind: OpponentKind;
}

/** Who one was brought together with. */
export interface OpponentRated {
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * The opponent's rating; null where there is none.
   * @unit rating points
   * @example 1490
   */
  rating: number | null;
  /**
   * What plays the other seat.
   * @example "player"
   */
  kind: OpponentKind;
}

/** The opponent is back. */
export interface OpponentReconnected {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
}

/** How a search goes, every two seconds. */
export interface OpponentSearch {
  /**
   * How long the search has lasted.
   * @unit ms
   * @example 4000
   */
  waited_ms: number;
  /**
   * How far from the own rating an opponent may be by now.
   * @unit rating points
   * @example 150
   */
  rating_range: number;
  /**
   * How many look for the same.
   * @unit players
   * @example 3
   */
  seeking: number;
}

/** How far the opponent is; `cause` and `reconnect_by` while they are away. */
export interface OpponentState {
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * Whether the opponent has a connection to any server.
   * @example true
   */
  connected: boolean;
  /**
   * What plays the other seat.
   * @example "player"
   */
  kind: OpponentKind;
  /**
   * How many questions the opponent has answered.
   * @unit answers
   * @example 3
   */
  answered: number;
  /**
   * The opponent's points so far.
   * @unit points
   * @example 365
   */
  score: number;
  /**
   * Whether the opponent is done.
   * @example false
   */
  completed: boolean;
  /**
   * Why the opponent is away.
   * @example "connection_lost"
   */
  cause?: AwayCause;
  /**
   * Until when who is away may come back.
   * @unit ms since the epoch
   * @example 1790000060000
   */
  reconnect_by?: number;
  /**
   * The opponent's rating: where the two were brought together.
   * @unit rating points
   * @example 1490
   */
  rating?: number;
}

/** How two players came together. */
export type Origin =
  | "invitation"
  | "search"
  | "rematch"
  | "ghost"
  | "challenge";

/** How a match went for one of its players. */
export type Outcome =
  | "won"
  | "lost"
  | "draw"
  | "none";

/** `answer_submitted` to the one who answered, in all tabs. */
export interface OwnAnswer {
  /**
   * The question.
   * @example 7
   */
  question_id: number;
  /**
   * Whose answer it is.
   * @example "you"
   */
  player: "you";
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Whether the answer is right.
   * @example true
   */
  correct: boolean;
  /**
   * The right option's index.
   * @example 2
   */
  correct_option: number;
  /**
   * What the answer counts.
   * @unit points
   * @example 142
   */
  points: number;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  score: number;
  /** How the answer was judged. */
  receipt: Receipt;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** How the questions of a match are asked. */
export type Pace =
  | "free"
  | "rounds";

/** Which page of a list. */
export interface PageQuery {
  /**
   * How many at most; 20 where it is not said.
   * @unit entries
   * @example 20
   */
  limit?: number | null;
  /**
   * `next_cursor` of the page before, as it is; none for the first page.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"
   */
  cursor?: string | null;
}

/** What a past match has changed of the rating in its topic. */
export interface PastRating {
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * How much the match has changed it.
   * @unit rating points
   * @example 12
   */
  change: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
  /**
   * How much the match counts: 1 against a person, less against a recorded run.
   * @unit of a match
   * @example 1.0
   */
  weight: number;
}

/** A finished match in one's history. */
export interface PastSession {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * How the questions were asked.
   * @example "free"
   */
  pace: Pace;
  /**
   * What answers were worth.
   * @example "speed_bonus"
   */
  scoring: ScoringProfile;
  /**
   * How the two came together.
   * @example "invitation"
   */
  origin: Origin;
  /**
   * How many questions the match has.
   * @unit questions
   * @example 5
   */
  question_count: number;
  /**
   * When the match was over.
   * @unit ms since the epoch
   * @example 1790000140000
   */
  ended_at: number;
  /**
   * How it went for oneself.
   * @example "won"
   */
  outcome: Outcome;
  /**
   * Why the match was over.
   * @example "all_answered"
   */
  reason: EndedBy;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  your_score: number;
  /**
   * The opponent's points so far.
   * @unit points
   * @example 365
   */
  opponent_score: number;
  /** Who one has played against. */
  opponent: OpponentBrief;
  /** What it has changed; null where it did not count. */
  rating: PastRating | null;
}

/** What a list of the best is of: all time, by rating, or the week, by points. */
export type Period =
  | "all"
  | "week";

/** The player that a path names. */
export interface PlayerPath {
  /**
   * The player's id, as `welcome` says it.
   * @example "guest:Vh7dQ2mX4tRk"
   */
  player_id: string;
}

/** Why something was refused: nothing has changed. */
export interface Problem {
  /**
   * The stable name of the refusal. More may come.
   * @example "not_enough_questions"
   */
  code: ErrorCode;
  /**
   * What is wrong and what to do, in English.
   * @example "The topic 'Art' has 3 of the 5 questions needed"
   */
  message: string;
  /**
   * Whether the same may succeed later, unchanged.
   * @example false
   */
  retry: boolean;
  /**
   * How long to wait before that.
   * @unit ms
   * @example 1200
   */
  retry_in_ms?: number;
  /**
   * How many questions the topic has.
   * @unit questions
   * @example 3
   */
  available?: number;
}

/** What a player may know of itself; the rating is that over all. */
export interface Profile {
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * How many were won.
   * @unit matches
   * @example 25
   */
  won: number;
  /**
   * How many were lost.
   * @unit matches
   * @example 15
   */
  lost: number;
  /**
   * How many were a draw.
   * @unit matches
   * @example 2
   */
  draw: number;
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
  /**
   * How many matches the rating rests on.
   * @unit matches
   * @example 40
   */
  rated: number;
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /** The same for each topic. */
  topics: TopicRecord[];
  /**
   * The player's id; a guest's begins with `guest:`.
   * @example "guest:Vh7dQ2mX4tRk"
   */
  user_id: string;
  /**
   * Whose word there is for who one is.
   * @example "guest"
   */
  kind: AccountKind;
  /**
   * Since when the player is stored; null while nothing is.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  known_since: number | null;
  /**
   * Whether one's runs may be replayed as ghosts.
   * @example true
   */
  record_runs: boolean;
}

/** What everybody may know of a player; the rating is that over all. */
export interface PublicProfile {
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * How many were won.
   * @unit matches
   * @example 25
   */
  won: number;
  /**
   * How many were lost.
   * @unit matches
   * @example 15
   */
  lost: number;
  /**
   * How many were a draw.
   * @unit matches
   * @example 2
   */
  draw: number;
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
  /**
   * How many matches the rating rests on.
   * @unit matches
   * @example 40
   */
  rated: number;
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /** The same for each topic. */
  topics: TopicRecord[];
}

/** What both made of a question. */
export interface QuestionResult {
  /**
   * The question.
   * @example 7
   */
  id: number;
  /**
   * The right option's index.
   * @example 2
   */
  correct_option: number;
  /**
   * The option that one has chosen; null where one has not answered.
   * @example 2
   */
  your_answer: number | null;
  /**
   * The option that the opponent has chosen; null where there is none.
   * @example 0
   */
  opponent_answer: number | null;
  /**
   * What one's own answer counts.
   * @unit points
   * @example 142
   */
  your_points: number;
  /**
   * What the opponent's answer counts.
   * @unit points
   * @example 0
   */
  opponent_points: number;
  /** How one's own answer was judged; null where there is none. */
  receipt: Receipt | null;
  /**
   * Why the right option is right.
   * @example "By far."
   */
  explanation?: string;
}

/** A question as players see it: never which option is right. */
export interface QuestionView {
  /**
   * The question.
   * @example 7
   */
  id: number;
  /**
   * The question: plain text of any script.
   * @example "Which planet is the largest?"
   */
  text: string;
  /**
   * The options, in the same order for both.
   * @example ["Mars", "Venus", "Jupiter", "Saturn"]
   */
  options: string[];
  /**
   * What sort of question it is.
   * @example "single_choice"
   */
  kind: "single_choice";
  /**
   * The language of the texts, as BCP 47 has it.
   * @example "en"
   */
  lang?: string;
  /**
   * Why the right option is right: after the match only.
   * @example "By far."
   */
  explanation?: string;
  /**
   * How hard it is: where points go by that.
   * @example "easy"
   */
  difficulty?: Difficulty;
}

/** Be done: what is unanswered counts as wrong. */
export interface QuizCompleted {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * What a client takes for its score. It is not read: the server counts.
   * @unit points
   * @example 480
   */
  score?: number | string | null;
}

/** A match waits for an opponent. */
export interface QuizCreated {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * The path of the invitation, for the frontend's own router.
   * @example "/pair-quiz/8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  join_url: string;
  /**
   * The code by which an opponent joins; void once somebody has.
   * @example "7KQ2M4XA"
   */
  join_code: string;
  /**
   * Nobody has joined yet.
   * @example "waiting_for_opponent"
   */
  status: "waiting_for_opponent";
  /**
   * How the questions will be asked.
   * @example "free"
   */
  pace: Pace;
  /**
   * What answers will be worth.
   * @example "speed_bonus"
   */
  scoring: ScoringProfile;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** How the match went, and how the series stands after it. */
export interface QuizResults {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  your_score: number;
  /**
   * The opponent's points so far.
   * @unit points
   * @example 365
   */
  opponent_score: number;
  /** How many of one's own answers are right. */
  your_accuracy: Accuracy;
  /** How many of the opponent's answers are right. */
  opponent_accuracy: Accuracy;
  /**
   * How it went for oneself; `none` in practice.
   * @example "won"
   */
  outcome: Outcome;
  /**
   * Why the match is over.
   * @example "all_answered"
   */
  reason: EndedBy;
  /** What both made of each question that was asked. */
  questions: QuestionResult[];
  /** Who one has played against. */
  opponent: OpponentBrief;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /** How the series stands; none where a recorded run has played. */
  series?: Series;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
  /**
   * True where the operator has ended it, and `reason` is but the nearest; else the key is absent.
   * @example true
   */
  by_operator?: boolean;
}

/** The questions, and the clock that runs. In rounds both come later, one by one. */
export interface QuizStarted {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /** The questions; in rounds there are none yet. */
  questions: QuestionView[];
  /**
   * How long a question has.
   * @unit s
   * @example 30
   */
  time_limit: number;
  /**
   * When the match has begun.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  started_at: number;
  /**
   * Until when answers are in time; null in rounds.
   * @unit ms since the epoch
   * @example 1790000150000
   */
  deadline_at: number | null;
  /**
   * How the questions are asked.
   * @example "free"
   */
  pace: Pace;
  /**
   * What answers are worth.
   * @example "speed_bonus"
   */
  scoring: ScoringProfile;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/**
 * The whole match as one of its players may see it: everything that is needed to draw the screen.
 * `opponent_accuracy` comes with the results: before, it would tell which of the opponent's answers are right.
 */
export interface QuizState {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * Where the match is.
   * @example "in_progress"
   */
  status: Status;
  /**
   * How the questions are asked.
   * @example "free"
   */
  pace: Pace;
  /**
   * What answers are worth.
   * @example "speed_bonus"
   */
  scoring: ScoringProfile;
  /**
   * How many questions the match has.
   * @unit questions
   * @example 5
   */
  question_count: number;
  /**
   * How long a question has.
   * @unit s
   * @example 30
   */
  time_limit: number;
  /**
   * When the match has begun; null before.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  started_at: number | null;
  /**
   * Until when answers are in time; null before the start and in rounds.
   * @unit ms since the epoch
   * @example 1790000150000
   */
  deadline_at: number | null;
  /**
   * How long the match, or the open round, still has; null where no clock runs.
   * @unit ms
   * @example 93000
   */
  remaining_ms: number | null;
  /**
   * What the server's clock shows.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  server_time: number;
  /** The questions that were asked: none before the start. */
  questions: QuestionView[];
  /** One's own answers, each by its question's id as text. */
  your_answers: Record<string, YourAnswer>;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  your_score: number;
  /** How many of one's own answers are right. */
  your_accuracy: Accuracy;
  /** How far the opponent is; null while nobody has joined. */
  opponent: OpponentState | null;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * The code by which an opponent joins; void once somebody has.
   * @example "7KQ2M4XA"
   */
  join_code?: string;
  /**
   * When the match starts by itself; `start_quiz` starts it sooner.
   * @unit ms since the epoch
   * @example 1790000003000
   */
  starts_at?: number;
  /** That one counts as away oneself. */
  your_absence?: AbsenceState;
  /** Where the rounds are, while they run. */
  round?: RoundState;
  /** The rounds that are over, while rounds run. */
  closed_rounds?: RoundResult[];
  /** How many of the opponent's answers are right. */
  opponent_accuracy?: Accuracy;
  /** As `quiz_results`, once the match is completed. */
  results?: QuizResults;
  /**
   * The match that this rematch follows.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  previous_session_id?: string;
  /** How the series stands. */
  series?: Series;
  /** Who has asked for a rematch, while one may be asked for. */
  rematch?: RematchState;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** A list of the best. */
export interface RankList {
  /**
   * The topic; null for all of them.
   * @example "General"
   */
  topic: string | null;
  /**
   * What the list is of.
   * @example "all"
   */
  period: Period;
  /**
   * When the week began; null for all time.
   * @unit ms since the epoch
   * @example 1789948800000
   */
  begins_at: number | null;
  /**
   * When the week ends; null for all time.
   * @unit ms since the epoch
   * @example 1790553600000
   */
  ends_at: number | null;
  /**
   * How many have a place.
   * @unit players
   * @example 240
   */
  players: number;
  /** The best. */
  entries: Ranked[];
  /** One's own place; null without a token, and without a match that counts. */
  you: YourRank | null;
}

/** Which list of the best. */
export interface RankQuery {
  /**
   * Of all time, by rating, or of the week; `all` where it is not said.
   * @example "week"
   */
  period?: Period | null;
  /**
   * How many at most; 20 where it is not said.
   * @unit entries
   * @example 20
   */
  limit?: number | null;
}

/** A place: by `rating`, or by the `points` of the week. */
export interface Ranked {
  /**
   * The place, from 1; equals have the same.
   * @example 1
   */
  rank: number;
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating?: number;
  /**
   * The points of the week.
   * @unit points of the week
   * @example 31
   */
  points?: number;
  /**
   * True on one's own place; else the key is absent.
   * @example true
   */
  you?: boolean;
}

/** Whom one has played against, and how strong they are now. */
export interface RatedOpponent {
  /**
   * What the player is called: plain text of any script.
   * @example "Ada"
   */
  display_name: string;
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
}

/** What a match has meant for its player, in its topic and over all. It is no change of the match. */
export interface RatingChanged {
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * How much the match has changed it.
   * @unit rating points
   * @example 12
   */
  change: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * How much the match counts: 1 against a person, less against a recorded run.
   * @unit of a match
   * @example 1.0
   */
  weight: number;
  /** The rating over all topics. */
  overall: RatingNews;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** A rating, and what the match has changed of it. */
export interface RatingNews {
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * How much the match has changed it.
   * @unit rating points
   * @example 12
   */
  change: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
}

/** Whether the server can be played on. */
export interface Readiness {
  /**
   * Whether all checks hold.
   * @example "ok"
   */
  status: "failed" | "ok";
  /**
   * Each check by its name: `database`, `migrations`, `durability`, `draining`, and `redis` if there is one.
   * @example {"database": "ok", "migrations": "ok", "durability": "ok", "draining": "ok"}
   */
  checks: Record<string, "failed" | "ok">;
}

/** How an answer was judged. */
export interface Receipt {
  /**
   * When the answer arrived.
   * @unit ms since the epoch
   * @example 1790000004560
   */
  arrived_at: number;
  /**
   * What the answer's line was credited.
   * @unit ms
   * @example 60
   */
  lag_credit_ms: number;
  /**
   * When the answer counts as given: `arrived_at` less the credit.
   * @unit ms since the epoch
   * @example 1790000004500
   */
  judged_at: number;
  /**
   * What the answer counts.
   * @unit points
   * @example 142
   */
  points: number;
  /**
   * The points as a sum, in words.
   * @example "right: 100, for speed: 42"
   */
  reason: string;
}

/** Let the connection last as long as the next token of the same player. */
export interface RefreshToken {
  /**
   * The next token.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"
   */
  token: string;
}

/** The reply to `request_rematch`, of the match that is over. */
export interface RematchReply {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * True until the opponent has asked too.
   * @example false
   */
  waiting: boolean;
  /**
   * The rematch that was made.
   * @example "1c9e6679-7425-40de-944b-e07fc1f90ae7"
   */
  next_session_id?: string;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** The other asks for a rematch. */
export interface RematchRequested {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
}

/** Who has asked for a rematch of a match that is over. */
export interface RematchState {
  /**
   * Whether one has asked oneself.
   * @example true
   */
  you: boolean;
  /**
   * Whether the opponent has asked.
   * @example false
   */
  opponent: boolean;
  /**
   * Until when a rematch may be asked for.
   * @unit ms since the epoch
   * @example 1790000600000
   */
  expires_at: number;
  /**
   * The rematch that was made.
   * @example "1c9e6679-7425-40de-944b-e07fc1f90ae7"
   */
  session_id?: string;
}

/** Say what is wrong with a question that one was shown. */
export interface ReportQuestion {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The question's id; its decimal text is taken, too.
   * @example 7
   */
  question_id: number | string;
  /**
   * What is wrong with it.
   * @example "unclear"
   */
  reason: ReportReason;
  /**
   * The same in one's own words.
   * @example "Which of the two?"
   */
  note?: string | null;
}

/** What a player says is wrong with a question. */
export type ReportReason =
  | "wrong_answer"
  | "unclear"
  | "outdated"
  | "offensive"
  | "other";

/** The reply to `report_question`: what stands now. */
export interface Reported {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The question.
   * @example 7
   */
  question_id: number;
  /**
   * What one says is wrong with the question.
   * @example "unclear"
   */
  reason: ReportReason;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** Ask for another match against the same opponent; once both have asked, there is one. */
export interface RequestRematch {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** Ask how a match stands, and hear of it from now on; or which matches are not over. */
export interface ResumePairQuiz {
  /**
   * The match; all that are not over where none is named.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id?: string | null;
}

/** A round is over, and what both made of it. */
export interface RoundClosed {
  /**
   * Which round it is, from 0.
   * @example 0
   */
  index: number;
  /**
   * The question.
   * @example 7
   */
  question_id: number;
  /**
   * The right option's index.
   * @example 2
   */
  correct_option: number;
  /**
   * The option that one has chosen; null where one has not answered.
   * @example 2
   */
  your_answer: number | null;
  /**
   * The option that the opponent has chosen; null where there is none.
   * @example 0
   */
  opponent_answer: number | null;
  /**
   * What one's own answer counts.
   * @unit points
   * @example 142
   */
  your_points: number;
  /**
   * What the opponent's answer counts.
   * @unit points
   * @example 0
   */
  opponent_points: number;
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * One's own points so far.
   * @unit points
   * @example 480
   */
  your_score: number;
  /**
   * The opponent's points so far.
   * @unit points
   * @example 365
   */
  opponent_score: number;
  /**
   * When the next round opens; null after the last one.
   * @unit ms since the epoch
   * @example 1790000042400
   */
  next_at: number | null;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** The next question for both: to be shown at `reveal_at`, to be answered until `closes_at`. */
export interface RoundOpened {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Which round it is, from 0.
   * @example 0
   */
  index: number;
  /** The question. */
  question: QuestionView;
  /**
   * When the round's question is to be shown: not sooner.
   * @unit ms since the epoch
   * @example 1790000010400
   */
  reveal_at: number;
  /**
   * Until when the round's question may be answered.
   * @unit ms since the epoch
   * @example 1790000040400
   */
  closes_at: number;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** What both made of a round that is closed. */
export interface RoundResult {
  /**
   * Which round it is, from 0.
   * @example 0
   */
  index: number;
  /**
   * The question.
   * @example 7
   */
  question_id: number;
  /**
   * The right option's index.
   * @example 2
   */
  correct_option: number;
  /**
   * The option that one has chosen; null where one has not answered.
   * @example 2
   */
  your_answer: number | null;
  /**
   * The option that the opponent has chosen; null where there is none.
   * @example 0
   */
  opponent_answer: number | null;
  /**
   * What one's own answer counts.
   * @unit points
   * @example 142
   */
  your_points: number;
  /**
   * What the opponent's answer counts.
   * @unit points
   * @example 0
   */
  opponent_points: number;
}

/** The round that is open; between two rounds, the one before and when the next one opens. */
export interface RoundState {
  /**
   * Which round it is, from 0.
   * @example 0
   */
  index: number;
  /**
   * When the round's question is to be shown: not sooner.
   * @unit ms since the epoch
   * @example 1790000010400
   */
  reveal_at: number;
  /**
   * Until when it may be answered; null where it is closed.
   * @unit ms since the epoch
   * @example 1790000040400
   */
  closes_at: number | null;
  /**
   * When the next round opens; null where one is open.
   * @unit ms since the epoch
   * @example 1790000042400
   */
  next_at: number | null;
}

/** What answers are worth, as it is agreed on for a match. */
export type ScoringProfile =
  | "speed_bonus"
  | "accuracy"
  | "negative"
  | "difficulty"
  | "practice";

/** The reply to `find_opponent` and `cancel_find_opponent`. */
export interface Searching {
  /**
   * Whether the player looks for somebody now.
   * @example true
   */
  seeking: boolean;
  /**
   * True where the effect of the command stood already; else the key is absent.
   * @example true
   */
  duplicate?: boolean;
}

/** How many matches of a series each has won: of those that are over. A draw counts for neither. */
export interface Series {
  /**
   * How many one has won.
   * @unit matches
   * @example 2
   */
  you: number;
  /**
   * How many the opponent has won.
   * @unit matches
   * @example 1
   */
  opponent: number;
}

/** The server stops: it will close the connection, and asks to be left alone for so long after that. */
export interface ServerDraining {
  /**
   * How long to wait before coming back, counted from the close.
   * @unit ms
   * @example 1250
   */
  reconnect_in_ms: number;
}

/** A live match in a list. */
export interface Session {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
  /**
   * Where the match is.
   * @example "in_progress"
   */
  status: Status;
  /** Who one plays against; null while nobody has joined. */
  opponent: OpponentBrief | null;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/**
 * The server was away, and takes that time from nobody: the match's clock has moved by `delayed_ms`.
 * Absences have begun anew: `opponent_reconnect_by` while the other is away.
 */
export interface SessionDelayed {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * How far all times of the match have moved.
   * @unit ms
   * @example 4200
   */
  delayed_ms: number;
  /**
   * The new deadline; null before the start, and in rounds (see `round`).
   * @unit ms since the epoch
   * @example 1790000154200
   */
  deadline_at: number | null;
  /**
   * What the server's clock shows.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  server_time: number;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * Until when the opponent may come back.
   * @unit ms since the epoch
   * @example 1790000064200
   */
  opponent_reconnect_by?: number;
  /** The new times of the round, where rounds run. */
  round?: RoundState;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
}

/** The match is over, and nobody has won. */
export interface SessionExpired {
  /**
   * The match, a UUID: on the wire a match is a session.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * Why the match is over.
   * @example "nobody_joined"
   */
  reason: ExpiredBy;
  /**
   * The match's version: it rises by one with each change, so that a gap shows that something was missed.
   * @example 7
   */
  version: number;
  /**
   * True where a recorded run plays the other seat; else the key is absent.
   * @example true
   */
  ghost?: boolean;
  /**
   * True where the operator has ended it, and `reason` is but the nearest; else the key is absent.
   * @example true
   */
  by_operator?: boolean;
}

/** The match that a path names. */
export interface SessionPath {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** All live matches of a player. */
export interface Sessions {
  /** The matches that are not over. */
  sessions: Session[];
}

/** Say what one is called, and whether runs may be recorded; what is not said stays as it is. */
export interface SetProfile {
  /**
   * What one is called: 1 to 40 characters as readers count them, of any script.
   * @example "Ada"
   */
  display_name?: string | null;
  /**
   * Whether one's runs may be replayed as ghosts.
   * @example false
   */
  record_runs?: boolean | null;
}

/** Start a match that is ready: either player may. */
export interface StartQuiz {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** The states of a match, as they stand in the database and in `quiz_state.status`. */
export type Status =
  | "waiting"
  | "ready"
  | "in_progress"
  | "completed"
  | "abandoned"
  | "expired";

/** Answer a question. The first answer stands. */
export interface SubmitAnswer {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
  /**
   * The question's id; its decimal text is taken, too.
   * @example 7
   */
  question_id: number | string;
  /**
   * The option's index (a number, from 0), or its exact text (a string).
   * @example 2
   */
  answer: number | string;
}

/** Ask what the server's clock shows. */
export interface SyncClock {
  /**
   * What the own clock shows: it is given back beside the server's.
   * @unit ms
   * @example 12345.6
   */
  client_time?: number | null;
}

/** The connection's token ends soon, and then the connection does, unless `refresh_token` comes first. */
export interface TokenExpiring {
  /**
   * When the token ends.
   * @unit ms since the epoch
   * @example 1790000060000
   */
  expires_at: number;
}

/** Until when the connection may last; a guest gets a new token with it. */
export interface TokenRefreshed {
  /**
   * When the new token ends.
   * @unit ms since the epoch
   * @example 1790003600000
   */
  expires_at: number;
  /**
   * The token with which to be the same guest again. The newest one is to be kept.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"
   */
  guest_token?: string;
}

/** The topic that a path names. */
export interface TopicPath {
  /**
   * The topic, in any spelling, or `all`.
   * @example "General"
   */
  topic: string;
}

/** How a player has done in a topic. */
export interface TopicRecord {
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * How many were won.
   * @unit matches
   * @example 25
   */
  won: number;
  /**
   * How many were lost.
   * @unit matches
   * @example 15
   */
  lost: number;
  /**
   * How many were a draw.
   * @unit matches
   * @example 2
   */
  draw: number;
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating: number;
  /**
   * Whether the rating is still a guess: it has no place in a list.
   * @example false
   */
  provisional: boolean;
  /**
   * How many matches the rating rests on.
   * @unit matches
   * @example 40
   */
  rated: number;
  /**
   * The topic, as it is spelled in the list of topics.
   * @example "General"
   */
  topic: string;
}

/** A topic, and how many questions it has. */
export interface TopicSize {
  /**
   * The topic.
   * @example "General"
   */
  name: string;
  /**
   * How many questions it has.
   * @unit questions
   * @example 120
   */
  questions: number;
}

/** All topics that can be played. */
export interface Topics {
  /** The topics. */
  topics: TopicSize[];
}

/** Take that back. */
export interface UnblockPlayer {
  /**
   * The match, a UUID in any spelling.
   * @example "8a6e0804-2bd0-4672-b79d-d97027f9071a"
   */
  session_id: string;
}

/** The first event of a connection: who one is, what time it is, and which matches wait. */
export interface Welcome {
  /**
   * The player's id; a guest's begins with `guest:`.
   * @example "guest:Vh7dQ2mX4tRk"
   */
  user_id: string;
  /**
   * What the server's clock shows.
   * @unit ms since the epoch
   * @example 1790000000000
   */
  server_time: number;
  /**
   * The version of the protocol that is spoken on this connection.
   * @example 1
   */
  protocol: number;
  /**
   * Where this server is, as its operator calls it.
   * @example "local"
   */
  region: string;
  /** The matches that are not over: ask for each by `resume_pair_quiz`. */
  sessions: Session[];
  /**
   * The token with which to be the same guest again. The newest one is to be kept.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJl"
   */
  guest_token?: string;
}

/** One's own locked answer. */
export interface YourAnswer {
  /**
   * An option's index, 0 to 3, in the order in which it was shown.
   * @example 2
   */
  answer: number;
  /**
   * Whether it is right.
   * @example true
   */
  correct: boolean;
  /**
   * What the answer counts.
   * @unit points
   * @example 142
   */
  points: number;
}

/** Where one stands oneself. */
export interface YourRank {
  /**
   * One's place; while not `listed`, that of such a rating.
   * @example 12
   */
  rank: number;
  /**
   * How many matches were finished.
   * @unit matches
   * @example 42
   */
  matches: number;
  /**
   * Whether one has a place in the list.
   * @example true
   */
  listed: boolean;
  /** The places right above and below. */
  around: Ranked[];
  /**
   * The rating.
   * @unit rating points
   * @example 1532
   */
  rating?: number;
  /**
   * The points of the week.
   * @unit points of the week
   * @example 31
   */
  points?: number;
}

/** What each command carries, and what it is acknowledged by beside `ok`. */
export interface Commands {
  create_pair_quiz: { payload: CreatePairQuiz; reply: QuizCreated };
  join_pair_quiz: { payload: JoinPairQuiz; reply: OpponentJoined };
  start_quiz: { payload: StartQuiz; reply: QuizStarted };
  submit_answer: { payload: SubmitAnswer; reply: OwnAnswer };
  quiz_completed: { payload: QuizCompleted; reply: Completed };
  leave_pair_quiz: { payload: LeavePairQuiz; reply: Left };
  resume_pair_quiz: { payload: ResumePairQuiz; reply: QuizState | Sessions };
  create_challenge: { payload: CreateChallenge; reply: ChallengeCreated };
  accept_challenge: { payload: AcceptChallenge; reply: OpponentJoined };
  find_opponent: { payload: FindOpponent; reply: Searching };
  cancel_find_opponent: { payload: CancelFindOpponent; reply: Searching };
  block_player: { payload: BlockPlayer; reply: Blocked };
  unblock_player: { payload: UnblockPlayer; reply: Blocked };
  request_rematch: { payload: RequestRematch; reply: RematchReply };
  report_question: { payload: ReportQuestion; reply: Reported };
  set_profile: { payload: SetProfile; reply: Profile };
  refresh_token: { payload: RefreshToken; reply: TokenRefreshed };
  sync_clock: { payload: SyncClock; reply: ClockSync };
}

/** What a client may emit. */
export interface ClientToServerEvents {
  /**
   * Create a match, which waits for an opponent.
   * Refused by `forbidden`, `not_enough_questions`, `too_many_sessions`, `maintenance`.
   */
  create_pair_quiz: (payload: CreatePairQuiz | null, ack?: (reply: Ack<QuizCreated>) => void) => void;
  /**
   * Take the second seat of a match, by its id or by its join code: one of the two is needed.
   * Refused by `not_found`, `session_full`, `own_match`, `forbidden`, `too_many_sessions`.
   */
  join_pair_quiz: (payload: JoinPairQuiz | null, ack?: (reply: Ack<OpponentJoined>) => void) => void;
  /**
   * Start a match that is ready: either player may.
   * Refused by `not_found`, `not_a_player`, `wrong_state`, `not_enough_questions`.
   */
  start_quiz: (payload: StartQuiz, ack?: (reply: Ack<QuizStarted>) => void) => void;
  /**
   * Answer a question. The first answer stands.
   * Refused by `not_found`, `not_a_player`, `wrong_state`, `too_late`, `already_answered`, `unknown_question`.
   */
  submit_answer: (payload: SubmitAnswer, ack?: (reply: Ack<OwnAnswer>) => void) => void;
  /**
   * Be done: what is unanswered counts as wrong.
   * Refused by `not_found`, `not_a_player`, `wrong_state`.
   */
  quiz_completed: (payload: QuizCompleted, ack?: (reply: Ack<Completed>) => void) => void;
  /**
   * Give up: in a running match the other has won.
   * Refused by `not_found`, `not_a_player`, `wrong_state`.
   */
  leave_pair_quiz: (payload: LeavePairQuiz, ack?: (reply: Ack<Left>) => void) => void;
  /**
   * Ask how a match stands, and hear of it from now on; or which matches are not over.
   * Refused by `not_found`, `not_a_player`.
   */
  resume_pair_quiz: (payload: ResumePairQuiz | null, ack?: (reply: Ack<QuizState | Sessions>) => void) => void;
  /**
   * Get a link to one's own run in a session that was played to its end.
   * Refused by `not_found`, `not_a_player`, `wrong_state`, `forbidden`.
   */
  create_challenge: (payload: CreateChallenge, ack?: (reply: Ack<ChallengeCreated>) => void) => void;
  /**
   * Play against the run that a code leads to.
   * Refused by `not_found`, `own_match`, `too_many_sessions`, `maintenance`.
   */
  accept_challenge: (payload: AcceptChallenge, ack?: (reply: Ack<OpponentJoined>) => void) => void;
  /**
   * Look for somebody who wants to play the same.
   * Refused by `not_enough_questions`, `too_many_sessions`, `maintenance`.
   */
  find_opponent: (payload: FindOpponent | null, ack?: (reply: Ack<Searching>) => void) => void;
  /** Look for nobody any more. */
  cancel_find_opponent: (payload: CancelFindOpponent | null, ack?: (reply: Ack<Searching>) => void) => void;
  /**
   * Be brought together with the opponent of a session no more.
   * Refused by `not_found`, `not_a_player`, `wrong_state`.
   */
  block_player: (payload: BlockPlayer, ack?: (reply: Ack<Blocked>) => void) => void;
  /**
   * Take that back.
   * Refused by `not_found`, `not_a_player`, `wrong_state`.
   */
  unblock_player: (payload: UnblockPlayer, ack?: (reply: Ack<Blocked>) => void) => void;
  /**
   * Ask for another match against the same opponent; once both have asked, there is one.
   * Refused by `not_found`, `not_a_player`, `wrong_state`, `too_late`, `opponent_unavailable`, `not_enough_questions`, `too_many_sessions`, `maintenance`.
   */
  request_rematch: (payload: RequestRematch, ack?: (reply: Ack<RematchReply>) => void) => void;
  /**
   * Say what is wrong with a question that one was shown.
   * Refused by `not_found`, `not_a_player`, `unknown_question`.
   */
  report_question: (payload: ReportQuestion, ack?: (reply: Ack<Reported>) => void) => void;
  /** Say what one is called, and whether runs may be recorded; what is not said stays as it is. */
  set_profile: (payload: SetProfile | null, ack?: (reply: Ack<Profile>) => void) => void;
  /**
   * Let the connection last as long as the next token of the same player.
   * Refused by `unauthorized`, `forbidden`, `keys_unavailable`.
   */
  refresh_token: (payload: RefreshToken, ack?: (reply: Ack<TokenRefreshed>) => void) => void;
  /** Ask what the server's clock shows. */
  sync_clock: (payload: SyncClock | null, ack?: (reply: Ack<ClockSync>) => void) => void;
}

/** What a client hears. */
export interface ServerToClientEvents {
  /** To the connection, first of all. */
  welcome: (event: Welcome) => void;
  /** To the creator. */
  quiz_created: (event: QuizCreated) => void;
  /** To both. */
  opponent_joined: (event: OpponentJoined) => void;
  /** To both who looked for somebody. */
  opponent_found: (event: OpponentFound) => void;
  /** To who looks for somebody, every 2 s. */
  opponent_search: (event: OpponentSearch) => void;
  /** To both. */
  quiz_started: (event: QuizStarted) => void;
  /** To both, in rounds. */
  round_opened: (event: RoundOpened) => void;
  /** To both, in rounds. */
  round_closed: (event: RoundClosed) => void;
  /** To the one who answered, in all tabs, and the other. */
  answer_submitted: (event: OwnAnswer | OpponentAnswer) => void;
  /** To the other. */
  opponent_completed: (event: Completed) => void;
  /** To both, once. */
  quiz_results: (event: QuizResults) => void;
  /** To the other. */
  opponent_disconnected: (event: OpponentDisconnected) => void;
  /** To the other; who is back gets `quiz_state`. */
  opponent_reconnected: (event: OpponentReconnected) => void;
  /** To the other. */
  opponent_left: (event: OpponentLeft) => void;
  /** To both. */
  session_expired: (event: SessionExpired) => void;
  /** To both, after the server was away. */
  session_delayed: (event: SessionDelayed) => void;
  /** To a connection, behind `welcome`; a player, where no other event tells of a change. */
  quiz_state: (event: QuizState) => void;
  /** To the other. */
  rematch_requested: (event: RematchRequested) => void;
  /** To each player who was rated, a second or two after `quiz_results`. */
  rating_changed: (event: RatingChanged) => void;
  /** To the connection, a minute before. */
  token_expiring: (event: TokenExpiring) => void;
  /** To everybody. */
  server_draining: (event: ServerDraining) => void;
  /** To everybody, at each change; a connection behind `welcome`, while it is on. */
  maintenance: (event: Maintenance) => void;
  /** To the sender of a command, where no acknowledgement was asked for. */
  error: (event: CommandRefused) => void;
}
