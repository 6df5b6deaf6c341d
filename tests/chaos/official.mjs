// The official client as an app would use it: it retries by itself until it is answered, and keeps its guest token.
// Lines of JSON come in: {"ask": [number, name, payload]}, {"act": "connect" | "disconnect"}; lines of JSON go out.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, transports] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

let token;
const socket = io(url, {
  transports: JSON.parse(transports),
  auth: (send) => send(token ? { token } : {}),
  retries: 1_000_000,
  ackTimeout: 3000,
  timeout: 4000,
  reconnectionDelay: 50,
  reconnectionDelayMax: 800,
});

socket.on("connect", () => say({ event: "connect" }));
socket.on("disconnect", () => say({ event: "disconnect" }));
socket.on("connect_error", (error) => {
  if (!socket.active) say({ event: "refused", payload: error.message });
});
socket.onAny((event, payload) => {
  if (event === "welcome") token = payload.guest_token;
  say({ event, payload });
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const { ask, act } = JSON.parse(line);
  if (act) socket[act]();
  if (ask) {
    const [number, name, payload] = ask;
    socket.emit(name, payload, (error, answer) => say({ ack: number, payload: error ? null : answer }));
  }
});
