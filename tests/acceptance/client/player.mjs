// One official client. Lines of JSON come in, {"emit": [name, payload]} and {"ask": [name, payload]}; lines
// of JSON go out: each event as {"event": name, "payload": …}, and what befalls the connection by its own name.
// Start it with the server's address, its options as JSON, the name under which the client's version is installed, and
// "keeps-token" where it comes back as the same guest.
import { createInterface } from "node:readline";

const [url, options, version, habit] = process.argv.slice(2);
const { io } = await import(version);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

let token;
const identity = habit === "keeps-token" ? { auth: (send) => send(token ? { token } : {}) } : {};
const socket = io(url, { ...JSON.parse(options), ...identity });

socket.io.on("open", () => {
  socket.io.engine.once("upgrade", (transport) => say({ event: "upgraded", payload: transport.name }));
});
socket.on("connect", () => say({ event: "connect", payload: socket.io.engine.transport.name }));
socket.on("disconnect", (reason) => say({ event: "disconnect", payload: reason }));
socket.on("connect_error", (error) => say({ event: "connect_error", payload: error.message }));
socket.onAny((event, payload) => {
  if (event === "welcome") token = payload.guest_token;
  say({ event, payload });
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const { emit, ask } = JSON.parse(line);
  if (emit) socket.emit(...emit);
  if (ask) socket.emit(...ask, (answer) => say({ event: "ack", payload: answer }));
});
