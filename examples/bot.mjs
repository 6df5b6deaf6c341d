// A bot over the official client: looks for somebody, or joins by a code, answers by chance, and goes when it is over.
//   node bot.mjs [http://127.0.0.1:8000] [CODE]
import { io } from "socket.io-client";

const [server = "http://127.0.0.1:8000", join_code] = process.argv.slice(2);
const thinking_ms = Number(process.env.THINKING_MS ?? 1500);

// Whatever gets no answer is sent again; who comes back says the newest token, and so is the same player.
let token;
const socket = io(server, { retries: 1e9, ackTimeout: 5000, auth: (send) => send(token ? { token } : {}) });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(name, payload) {
  const reply = await socket.emitWithAck(name, payload);
  if (reply.ok) return reply;
  if (!reply.error.retry) throw Object.assign(new Error(reply.error.message), reply.error);
  await pause(reply.error.retry_in_ms ?? 1000);
  return ask(name, payload);
}

// The match is what the server says that it is: after each event we look, and do what there is to do.
let match = null;
let turn = Promise.resolve();
const look = () => (turn = turn.then(act).catch(fail));

async function act() {
  const { status, pace, questions, round, your_answers, results } = await ask("resume_pair_quiz", match);
  if (results) {
    console.log(`${results.outcome}: ${results.your_score} to ${results.opponent_score} against ${results.opponent.display_name}`);
    return socket.disconnect();
  }
  if (["abandoned", "expired"].includes(status)) return fail(new Error(`the match was ${status}`));
  const asked = pace === "rounds" ? questions.slice(round?.closes_at ? round.index : Infinity) : questions;
  const question = asked.find(({ id }) => !(id in your_answers));
  if (status !== "in_progress" || !question) return;
  await pause(thinking_ms);
  const answer = Math.floor(Math.random() * question.options.length);
  const { receipt } = await ask("submit_answer", { ...match, question_id: question.id, answer });
  console.log(`${question.text} ${question.options[answer]} (${receipt.reason})`);
  return act();
}

function fail(error) {
  if (error.code === "too_late") return; // the time was over first: what comes next is told
  console.error(error.message);
  process.exit(1);
}

async function begin(sessions) {
  if (!match && sessions.length > 0) match = { session_id: sessions[0].session_id };
  if (!match && join_code) match = { session_id: (await ask("join_pair_quiz", { join_code })).session_id };
  if (match) return look();
  await ask("find_opponent", { topic: "General", question_count: 3 });
  console.log("looking for somebody …");
}

socket.on("welcome", ({ guest_token, sessions }) => {
  token = guest_token;
  begin(sessions).catch(fail);
});
socket.onAny((name, { session_id }) => {
  if (name === "opponent_found") match = { session_id };
  if (match && session_id === match.session_id) look();
});
socket.on("connect_error", (error) => socket.active || fail(error));
socket.on("disconnect", (reason) => reason === "io server disconnect" && fail(new Error("the server has sent us away")));
