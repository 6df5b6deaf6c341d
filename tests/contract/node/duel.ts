// What a frontend writes: it has to compile, and what is marked must not.
import { io, type Socket } from "socket.io-client";
import {
  PROTOCOL,
  type Ack,
  type ClientToServerEvents,
  type Commands,
  type ErrorCode,
  type QuizCreated,
  type ServerToClientEvents,
} from "./contract.js";

type PairQuizSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

export function play(url: string): PairQuizSocket {
  const socket: PairQuizSocket = io(url, { auth: { protocol: PROTOCOL } });
  socket.on("welcome", ({ user_id, sessions }) => console.log(user_id.length + sessions.length));
  socket.on("answer_submitted", (answer) => {
    const points: number = answer.player === "you" ? answer.receipt.points : answer.answered;
    console.log(points);
  });
  socket.on("quiz_results", ({ outcome, questions }) => {
    const verdict: "won" | "lost" | "draw" | "none" = outcome;
    console.log(verdict, questions[0]?.your_answer ?? "nothing");
  });
  socket.emit("create_pair_quiz", { topic: "General", pace: "rounds" });
  socket.emit("create_pair_quiz", { topic: "General" }, (reply: Ack<QuizCreated>) => {
    if (reply.ok) console.log(reply.join_code);
    else if (reply.error.retry) setTimeout(() => undefined, reply.error.retry_in_ms ?? 1000);
    const code: ErrorCode | undefined = reply.ok ? undefined : reply.error.code;
    console.log(code);
  });
  socket.emit("sync_clock", null, (reply) => console.log(reply.ok && reply.server_time));
  // @ts-expect-error: there is no such command
  socket.emit("create_quiz", {});
  // @ts-expect-error: an answer is needed
  socket.emit("submit_answer", { session_id: "", question_id: 7 });
  // @ts-expect-error: no pace is called so
  socket.emit("find_opponent", { pace: "slow" });
  // @ts-expect-error: there is no such event
  socket.on("quiz_over", () => undefined);
  // @ts-expect-error: the right option is in no question
  socket.on("quiz_started", ({ questions }) => console.log(questions[0].correct_option));
  return socket;
}

/** How a client asks for any command: with what it carries, for what it is acknowledged by. */
export async function ask<Name extends keyof Commands>(
  send: (name: Name, payload: Commands[Name]["payload"]) => Promise<Ack<Commands[Name]["reply"]>>,
  name: Name,
  payload: Commands[Name]["payload"],
): Promise<Commands[Name]["reply"]> {
  const reply = await send(name, payload);
  if (!reply.ok) throw new Error(reply.error.message);
  return reply;
}
