// @pairquiz/client: everything that a frontend of pairquiz-server needs, without a framework.
export { Api } from "./api.js";
export type { PairQuizOptions } from "./attendant.js";
export { type CreateWishes, createPairQuiz, PairQuizClient } from "./client.js";
export { ServerClock } from "./clock.js";
export * from "./contract.js";
export type { TokenSource } from "./identity.js";
export type { TextStorage } from "./kept.js";
export { isOver } from "./match.js";
export type { EventName, Heard, News, Payload } from "./news.js";
export type { CommandName, CommandPayload, Result, ReplyTo } from "./outbox.js";
export { closesAt, isLive, openQuestion } from "./playing.js";
export { reduce, wanted } from "./reducer.js";
export {
  type Connection,
  initialSnapshot,
  type LockedAnswer,
  type Maintenance,
  type Match,
  type MatchEnd,
  type Opening,
  type Player,
  type RefusedCommand,
  type Refusal,
  type Search,
  type Snapshot,
} from "./snapshot.js";
