// The wire as TypeScript: what clients send and hear, named as the server names it.
// Times are milliseconds since the epoch, spans end in `_ms`, `time_limit` is in seconds.

export const PROTOCOL = 1;

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
  | "payload_too_large"
  | "unsupported_media_type"
  | "method_not_allowed"
  | "too_slow"
  | "internal";

export type Pace = "free" | "rounds";
export type ScoringProfile = "speed_bonus" | "accuracy" | "negative" | "difficulty" | "practice";
export type Status = "waiting" | "ready" | "in_progress" | "completed" | "abandoned" | "expired";
export type OpponentKind = "player" | "ghost";
export type Cause = "connection_lost" | "closed" | "left";
export type Outcome = "won" | "lost" | "draw" | "none";
export type ReportReason = "wrong_answer" | "unclear" | "outdated" | "offensive" | "other";

export interface ErrorBody {
  code: ErrorCode;
  message: string;
  retry: boolean;
  retry_in_ms?: number;
  available?: number;
}

export type Ack<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody };

export interface OpponentBrief {
  display_name: string;
  kind: OpponentKind;
}

export interface OpponentPresence extends OpponentBrief {
  connected: boolean;
}

export interface Session {
  session_id: string;
  topic: string;
  status: Status;
  opponent: OpponentBrief | null;
  ghost?: boolean;
}

export interface Sessions {
  sessions: Session[];
}

export interface Welcome {
  user_id: string;
  server_time: number;
  protocol: number;
  region: string;
  sessions: Session[];
  guest_token?: string;
}

export interface TokenExpiring {
  expires_at: number;
}

export interface TokenRefreshed {
  expires_at: number;
  guest_token?: string;
}

export interface QuizCreated {
  session_id: string;
  topic: string;
  join_url: string;
  join_code: string;
  status: "waiting_for_opponent";
  pace: Pace;
  scoring: ScoringProfile;
  version: number;
  duplicate?: boolean;
}

export interface Series {
  you: number;
  opponent: number;
}

export interface OpponentJoined {
  session_id: string;
  status: "ready_to_start";
  opponent: OpponentPresence;
  version: number;
  duplicate?: boolean;
  starts_at?: number;
  previous_session_id?: string;
  series?: Series;
  ghost?: boolean;
}

export interface Searching {
  seeking: boolean;
  duplicate?: boolean;
}

export interface OpponentSearch {
  waited_ms: number;
  rating_range: number;
  seeking: number;
}

export interface OpponentRated extends OpponentBrief {
  rating: number | null;
}

export interface OpponentFound {
  session_id: string;
  topic: string;
  status: "ready_to_start";
  opponent: OpponentRated;
  starts_at: number | null;
  version: number;
  ghost?: boolean;
}

export interface Blocked {
  session_id: string;
  blocked: boolean;
  duplicate?: boolean;
}

export interface QuestionView {
  id: number;
  text: string;
  options: string[];
  kind: "single_choice";
  lang?: string;
  explanation?: string;
  difficulty?: "easy" | "medium" | "hard";
}

export interface QuizStarted {
  session_id: string;
  questions: QuestionView[];
  time_limit: number;
  started_at: number;
  deadline_at: number | null;
  pace: Pace;
  scoring: ScoringProfile;
  version: number;
  duplicate?: boolean;
  ghost?: boolean;
}

export interface RoundOpened {
  session_id: string;
  index: number;
  question: QuestionView;
  reveal_at: number;
  closes_at: number;
  version: number;
  ghost?: boolean;
}

export interface RoundResult {
  index: number;
  question_id: number;
  correct_option: number;
  your_answer: number | null;
  opponent_answer: number | null;
  your_points: number;
  opponent_points: number;
}

export interface RoundClosed extends RoundResult {
  session_id: string;
  your_score: number;
  opponent_score: number;
  next_at: number | null;
  version: number;
  ghost?: boolean;
}

export interface RoundState {
  index: number;
  reveal_at: number;
  closes_at: number | null;
  next_at: number | null;
}

export interface Receipt {
  arrived_at: number;
  lag_credit_ms: number;
  judged_at: number;
  points: number;
  reason: string;
}

export interface OwnAnswer {
  question_id: number;
  player: "you";
  session_id: string;
  correct: boolean;
  correct_option: number;
  points: number;
  score: number;
  receipt: Receipt;
  version: number;
  duplicate?: boolean;
  ghost?: boolean;
}

export interface OpponentAnswer {
  question_id: number;
  player: "opponent";
  session_id: string;
  answered: number;
  score: number;
  version: number;
  ghost?: boolean;
}

export interface Completed {
  session_id: string;
  score: number;
  version: number;
  duplicate?: boolean;
  ghost?: boolean;
}

export interface Left {
  session_id: string;
  status: Status;
  version: number;
  duplicate?: boolean;
  ghost?: boolean;
}

export interface Reported {
  session_id: string;
  question_id: number;
  reason: ReportReason;
  duplicate?: boolean;
}

export interface OpponentDisconnected {
  session_id: string;
  cause: Cause;
  version: number;
  reconnect_by?: number;
}

export interface OpponentReconnected {
  session_id: string;
  version: number;
}

export interface OpponentLeft {
  session_id: string;
  version: number;
}

export interface SessionDelayed {
  session_id: string;
  delayed_ms: number;
  deadline_at: number | null;
  server_time: number;
  version: number;
  opponent_reconnect_by?: number;
  round?: RoundState;
  ghost?: boolean;
}

export interface SessionExpired {
  session_id: string;
  reason: "nobody_joined" | "never_started" | "both_absent";
  version: number;
  ghost?: boolean;
}

export interface Accuracy {
  right: number;
  answered: number;
  of: number;
}

export interface QuestionResult {
  id: number;
  correct_option: number;
  your_answer: number | null;
  opponent_answer: number | null;
  your_points: number;
  opponent_points: number;
  receipt: Receipt | null;
  explanation?: string;
}

export interface QuizResults {
  session_id: string;
  your_score: number;
  opponent_score: number;
  your_accuracy: Accuracy;
  opponent_accuracy: Accuracy;
  outcome: Outcome;
  reason: "all_answered" | "deadline" | "opponent_left" | "you_left" | "opponent_absent" | "you_were_absent";
  questions: QuestionResult[];
  opponent: OpponentBrief;
  version: number;
  series?: Series;
  ghost?: boolean;
}

export interface YourAnswer {
  answer: number;
  correct: boolean;
  points: number;
}

export interface AbsenceState {
  cause: Cause;
  reconnect_by?: number;
}

export interface OpponentState extends OpponentPresence {
  answered: number;
  score: number;
  completed: boolean;
  cause?: Cause;
  reconnect_by?: number;
  rating?: number;
}

export interface RematchState {
  you: boolean;
  opponent: boolean;
  expires_at: number;
  session_id?: string;
}

export interface RematchRequested {
  session_id: string;
  version: number;
}

export interface RematchReply {
  session_id: string;
  waiting: boolean;
  next_session_id?: string;
  duplicate?: boolean;
}

export interface QuizState {
  session_id: string;
  topic: string;
  status: Status;
  pace: Pace;
  scoring: ScoringProfile;
  question_count: number;
  time_limit: number;
  started_at: number | null;
  deadline_at: number | null;
  remaining_ms: number | null;
  server_time: number;
  questions: QuestionView[];
  your_answers: Record<string, YourAnswer>;
  your_score: number;
  your_accuracy: Accuracy;
  opponent: OpponentState | null;
  version: number;
  join_code?: string;
  starts_at?: number;
  your_absence?: AbsenceState;
  round?: RoundState;
  closed_rounds?: RoundResult[];
  opponent_accuracy?: Accuracy;
  results?: QuizResults;
  previous_session_id?: string;
  series?: Series;
  rematch?: RematchState;
  ghost?: boolean;
}

export interface ServerDraining {
  reconnect_in_ms: number;
}

export interface RatingNews {
  rating: number;
  change: number;
  provisional: boolean;
}

export interface RatingChanged extends RatingNews {
  session_id: string;
  topic: string;
  weight: number;
  overall: RatingNews;
  ghost?: boolean;
}

export interface TopicRecord {
  topic: string;
  rating: number;
  provisional: boolean;
  rated: number;
  matches: number;
  won: number;
  lost: number;
  draw: number;
}

export interface PublicProfile {
  display_name: string;
  rating: number;
  provisional: boolean;
  rated: number;
  matches: number;
  won: number;
  lost: number;
  draw: number;
  topics: TopicRecord[];
}

export interface Profile extends PublicProfile {
  user_id: string;
  kind: "guest" | "user";
  known_since: number | null;
  record_runs: boolean;
}

export interface ChallengeCreated {
  challenge_code: string;
  challenge_url: string;
  session_id: string;
  topic: string;
  score: number;
  expires_at?: number;
  duplicate?: boolean;
}

export interface ClockSync {
  client_time: number | null;
  server_time: number;
}

export interface ErrorEvent extends ErrorBody {
  command: string;
}

export interface PastOpponent {
  display_name: string;
  kind: OpponentKind;
}

export interface PastRating extends RatingNews {
  weight: number;
}

export interface PastSession {
  session_id: string;
  topic: string;
  pace: Pace;
  scoring: ScoringProfile;
  origin: "invitation" | "search" | "rematch" | "ghost" | "challenge";
  question_count: number;
  ended_at: number;
  outcome: Outcome;
  reason: QuizResults["reason"];
  your_score: number;
  opponent_score: number;
  opponent: PastOpponent;
  rating: PastRating | null;
}

export interface History {
  matches: PastSession[];
  next_cursor: string | null;
}

export interface RatedOpponent {
  display_name: string;
  rating: number;
  provisional: boolean;
}

export interface HeadToHead {
  session_id: string;
  opponent: RatedOpponent;
  matches: number;
  won: number;
  lost: number;
  draw: number;
}

export interface Ranked {
  rank: number;
  display_name: string;
  matches: number;
  rating?: number;
  points?: number;
  you?: boolean;
}

export interface YourRank {
  rank: number;
  matches: number;
  listed: boolean;
  around: Ranked[];
  rating?: number;
  points?: number;
}

export interface RankList {
  topic: string | null;
  period: "all" | "week";
  begins_at: number | null;
  ends_at: number | null;
  players: number;
  entries: Ranked[];
  you: YourRank | null;
}

export interface Topic {
  name: string;
  questions: number;
}

export interface Topics {
  topics: Topic[];
}

export interface CreatePairQuiz {
  user_id?: number | string | null;
  topic?: string | null;
  question_count?: number | null;
  time_limit?: number | null;
  pace?: Pace | null;
  scoring?: ScoringProfile | null;
  request_id?: string | null;
}

export interface JoinPairQuiz {
  user_id?: number | string | null;
  session_id?: string | null;
  join_code?: string | null;
}

export interface StartQuiz {
  session_id: string;
}

export interface SubmitAnswer {
  session_id: string;
  question_id: number | string;
  answer: number | string;
}

export interface QuizCompleted {
  session_id: string;
}

export interface ResumePairQuiz {
  session_id?: string | null;
}

export interface LeavePairQuiz {
  session_id: string;
}

export interface FindOpponent {
  topic?: string | null;
  question_count?: number | null;
  time_limit?: number | null;
  pace?: Pace | null;
  scoring?: ScoringProfile | null;
  accept_ghost?: boolean | null;
}

export type CancelFindOpponent = Record<string, never>;

export interface BlockPlayer {
  session_id: string;
}

export interface UnblockPlayer {
  session_id: string;
}

export interface RequestRematch {
  session_id: string;
}

export interface ReportQuestion {
  session_id: string;
  question_id: number | string;
  reason: ReportReason;
  note?: string | null;
}

export interface RefreshToken {
  token: string;
}

export interface SetProfile {
  display_name?: string | null;
  record_runs?: boolean | null;
}

export interface CreateChallenge {
  session_id: string;
}

export interface AcceptChallenge {
  challenge_code: string;
}

export interface SyncClock {
  client_time?: number | null;
}

export interface ServerToClientEvents {
  welcome: (payload: Welcome) => void;
  quiz_created: (payload: QuizCreated) => void;
  opponent_joined: (payload: OpponentJoined) => void;
  opponent_found: (payload: OpponentFound) => void;
  opponent_search: (payload: OpponentSearch) => void;
  quiz_started: (payload: QuizStarted) => void;
  round_opened: (payload: RoundOpened) => void;
  round_closed: (payload: RoundClosed) => void;
  answer_submitted: (payload: OwnAnswer | OpponentAnswer) => void;
  opponent_completed: (payload: Completed) => void;
  quiz_results: (payload: QuizResults) => void;
  opponent_disconnected: (payload: OpponentDisconnected) => void;
  opponent_reconnected: (payload: OpponentReconnected) => void;
  opponent_left: (payload: OpponentLeft) => void;
  session_expired: (payload: SessionExpired) => void;
  session_delayed: (payload: SessionDelayed) => void;
  quiz_state: (payload: QuizState) => void;
  rematch_requested: (payload: RematchRequested) => void;
  token_expiring: (payload: TokenExpiring) => void;
  server_draining: (payload: ServerDraining) => void;
  rating_changed: (payload: RatingChanged) => void;
  error: (payload: ErrorEvent) => void;
}

type Command<P, R> = (payload: P, ack?: (reply: Ack<R>) => void) => void;

export interface ClientToServerEvents {
  create_pair_quiz: Command<CreatePairQuiz, QuizCreated>;
  join_pair_quiz: Command<JoinPairQuiz, OpponentJoined>;
  start_quiz: Command<StartQuiz, QuizStarted>;
  submit_answer: Command<SubmitAnswer, OwnAnswer>;
  quiz_completed: Command<QuizCompleted, Completed>;
  leave_pair_quiz: Command<LeavePairQuiz, Left>;
  resume_pair_quiz: Command<ResumePairQuiz, QuizState | Sessions>;
  find_opponent: Command<FindOpponent, Searching>;
  cancel_find_opponent: Command<CancelFindOpponent, Searching>;
  block_player: Command<BlockPlayer, Blocked>;
  unblock_player: Command<UnblockPlayer, Blocked>;
  request_rematch: Command<RequestRematch, RematchReply>;
  report_question: Command<ReportQuestion, Reported>;
  refresh_token: Command<RefreshToken, TokenRefreshed>;
  create_challenge: Command<CreateChallenge, ChallengeCreated>;
  accept_challenge: Command<AcceptChallenge, OpponentJoined>;
  set_profile: Command<SetProfile, Profile>;
  sync_clock: Command<SyncClock, ClockSync>;
}
