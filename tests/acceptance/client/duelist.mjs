// A player whose client is @pairquiz/client. Lines of JSON come in, {"do": [method, …arguments]}; lines of JSON go out:
// {"event": "did", "payload": its outcome}, and {"event": "snapshot", "payload": …} after each change.
// Start it with the server's address, the file that is its storage, further options of socket.io-client as JSON, and
// the user's token where it is no guest.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createPairQuiz } from "@pairquiz/client";

// A player's own clock may be wrong.
const rightNow = Date.now;
Date.now = () => rightNow() + Number(process.env.CLOCK_IS_OFF_BY_MS ?? 0);

const [url, file, socket, userToken] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

class FileStorage {
  getItem = (key) => this.all()[key] ?? null;
  setItem = (key, value) => this.write({ ...this.all(), [key]: value });
  removeItem = (key) => this.write({ ...this.all(), [key]: undefined });
  write = (values) => writeFileSync(file, JSON.stringify(values));

  all() {
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      return {};
    }
  }
}

let token = userToken ?? null;
const quiz = createPairQuiz({ url, storage: new FileStorage(), socket: JSON.parse(socket), token: () => token });
const act = {
  say_token: (next) => (token = next),
  now: () => quiz.now(),
  api: (method, ...payload) => quiz.api[method](...payload),
};

quiz.subscribe(() => say({ event: "snapshot", payload: quiz.getSnapshot() }));
createInterface({ input: process.stdin }).on("line", async (line) => {
  const [method, ...payload] = JSON.parse(line).do;
  const outcome = await (act[method] ?? quiz[method].bind(quiz))(...payload);
  say({ event: "did", payload: outcome ?? null });
});
quiz.connect();
