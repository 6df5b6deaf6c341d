// Stock Socket.IO with a room for each match. `keep` is called, and awaited, before anything is told.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { guest, Match, Refused, welcome } from "./duel.mjs";

export function serve(keep) {
  const http = createServer();
  const io = new Server(http);
  const matches = new Map();

  io.on("connection", (socket) => {
    const player = guest();
    player.socket = socket;
    const on = (name, act) => socket.on(name, async (payload, ack) => {
      try {
        await act(payload, ack);
      } catch (error) {
        if (!(error instanceof Refused)) console.error(error);
        ack({ ok: false, error: { code: "refused", message: error.message, retry: false } });
      }
    });
    const find = ({ session_id: id }) => {
      if (!matches.has(id)) throw new Refused("Session not found");
      return matches.get(id);
    };

    on("create_pair_quiz", async (payload, ack) => {
      const match = new Match(player, payload);
      await keep.created(match);
      matches.set(match.id, match);
      socket.join(match.id);
      ack({ ok: true, ...match.created() });
      socket.emit("quiz_created", match.created());
    });

    on("join_pair_quiz", async (payload, ack) => {
      const match = find(payload);
      match.join(player);
      await keep.joined(match);
      socket.join(match.id);
      ack({ ok: true, ...match.joined(player) });
      for (const seat of match.seats) seat.player.socket.emit("opponent_joined", match.joined(seat.player));
    });

    on("start_quiz", async (payload, ack) => {
      const match = find(payload);
      match.start();
      await keep.started(match);
      ack({ ok: true, ...match.started() });
      io.to(match.id).emit("quiz_started", match.started());
    });

    on("submit_answer", async (payload, ack) => {
      const match = find(payload);
      const kept = match.answer(player, payload);
      await keep.answered(match, kept);
      ack(match.own(kept));
      socket.to(match.id).emit("answer_submitted", match.shown(kept));
      if (kept.answered < match.count) return;
      match.told = (match.told ?? 0) + 1;  // only now, because the other's last answer may still be on its way to disk
      if (match.told < 2) {
        socket.to(match.id).emit("opponent_completed", { session_id: match.id, score: kept.score, version: kept.version });
        return;
      }
      for (const seat of match.seats) {
        seat.player.socket.emit("quiz_results", match.results(seat.player));
        seat.player.socket.leave(match.id);
      }
      matches.delete(match.id);
    });

    socket.emit("welcome", welcome(player));
  });

  http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
}
