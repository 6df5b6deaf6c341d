// (what is known, what has happened) → what is known afterwards. Pure, and the only place where a snapshot changes.
import type { Welcome } from "./contract.js";
import { afterEvent, fromState, isOver, sessionOf } from "./match.js";
import type { Heard, News } from "./news.js";
import type { Connection, Match, Opening, Snapshot } from "./snapshot.js";

export function reduce(now: Snapshot, news: News): Snapshot {
  switch (news.type) {
    case "connecting":
      return { ...now, connection: { status: "connecting", failures: 0 } };
    case "attempt_failed":
      return { ...now, connection: failedOnceMore(now.connection) };
    case "lost":
      return { ...now, connection: { status: "offline", failures: 0 } };
    case "expired":
      return { ...now, connection: { status: "expired" } };
    case "refused":
      return { ...now, connection: { status: "refused", code: news.code, message: news.message } };
    case "closed":
      return { ...now, connection: { status: "idle" } };
    case "heard":
      return afterHearing(now, news.event, news.given);
    case "started":
      return afterMatchEvent(now, { name: "quiz_started", payload: news.reply });
    case "opening":
      return news.session_id === now.match?.session_id
        ? { ...now, opening: null, match: { ...now.match, missed: true } }
        : { ...now, opening: opening(news.session_id) };
    case "not_opened":
      return withoutOpening(now, news.session_id);
    case "answering":
      return inMatch(now, news.session_id, (match) => ({
        ...match,
        pending: { ...match.pending, [news.question_id]: news.answer },
      }));
    case "answer_refused":
      return inMatch(now, news.session_id, (match) => {
        const { [news.question_id]: _, ...pending } = match.pending;
        return { ...match, pending };
      });
    case "completed":
      return inMatch(now, news.reply.session_id, (match) => ({
        ...match,
        you_completed: true,
        your_score: news.reply.score,
        missed: match.missed || news.reply.version > match.version + 1,
        version: Math.max(match.version, news.reply.version),
      }));
    case "left":
      return inMatch(now, news.reply.session_id, (match) => ({
        ...match,
        status: isOver(match) ? match.status : news.reply.status,
        starts_at: null,
        join_code: null,
        end: match.end ?? "you_left",
        version: Math.max(match.version, news.reply.version),
        missed: match.missed || news.reply.status === "completed",
      }));
    case "rematch_asked": {
      const { session_id, next_session_id } = news.reply;
      const asked = inMatch(now, session_id, (match) =>
        match.rematch ? { ...match, rematch: { ...match.rematch, you: true } } : match,
      );
      return next_session_id && now.match?.session_id === session_id
        ? { ...asked, opening: openingOf(asked, next_session_id) }
        : asked;
    }
    case "seeking":
      return { ...now, search: { wishes: news.wishes, waited_ms: null, rating_range: null, seeking: null } };
    case "sought_no_more":
      return { ...now, search: null };
    case "problem":
      return { ...now, problem: news.problem };
    case "problem_dismissed":
      return { ...now, problem: null };
    case "match_dismissed":
      return { ...now, match: null, opening: null };
  }
}

/** The session whose whole state has to be asked for: one that is to be shown, or of which something was missed. */
export function wanted(now: Snapshot): string | null {
  return now.opening?.session_id ?? (now.match?.missed ? now.match.session_id : null);
}

function afterHearing(now: Snapshot, event: Heard, given?: number | string): Snapshot {
  switch (event.name) {
    case "welcome":
      return afterWelcome(now, event.payload);
    case "server_draining":
      return now.connection.status === "online" ? { ...now, connection: { status: "online", draining: true } } : now;
    case "maintenance": {
      const { on, message = null, until = null } = event.payload;
      return { ...now, maintenance: on ? { message, until } : null };
    }
    case "opponent_search":
      return now.search ? { ...now, search: { ...now.search, ...event.payload } } : now;
    case "opponent_found":
      // A search that was cancelled may have been answered just before: that match starts by itself, too.
      return { ...now, search: null, opening: openingOf(now, event.payload.session_id) };
    case "error":
      return { ...now, problem: event.payload, search: event.payload.command === "find_opponent" ? null : now.search };
    case "rating_changed":
      return inMatch(now, event.payload.session_id, (match) => ({ ...match, rating_change: event.payload }));
    default:
      return afterMatchEvent(now, event, given);
  }
}

/** Who is welcomed has missed what happened meanwhile, and takes up what waits. */
function afterWelcome(now: Snapshot, welcome: Welcome): Snapshot {
  const { user_id, region, sessions } = welcome;
  const samePlayer = now.player === null || now.player.user_id === user_id;
  const match = samePlayer && now.match ? { ...now.match, missed: true } : null;
  const welcomed: Snapshot = {
    ...now,
    connection: { status: "online", draining: false },
    maintenance: null, // where one goes on, that is said behind the welcome
    player: { user_id, guest: user_id.startsWith("guest:"), region },
    sessions,
    match,
    opening: samePlayer ? now.opening : null,
    search: samePlayer ? now.search : null,
  };
  if (welcomed.opening || (match && !isOver(match))) return welcomed;
  // Found while the line was broken, or from before a reload; who looks for somebody does not wait for another.
  const waits = sessions.find((one) => one.status !== "waiting" || !welcomed.search);
  if (!waits || (match && !welcomed.search)) return welcomed;
  return { ...welcomed, search: null, opening: opening(waits.session_id) };
}

function afterMatchEvent(now: Snapshot, event: Heard, given?: number | string): Snapshot {
  const session_id = sessionOf(event);
  if (session_id === null) return now;
  if (now.opening?.session_id === session_id) {
    if (event.name !== "quiz_state") {
      return { ...now, opening: { session_id, heard: [...now.opening.heard, event] } };
    }
    const opened = now.opening.heard.reduce((match, one) => afterEvent(match, one), fromState(event.payload));
    return followed({ ...now, opening: null, match: opened });
  }
  if (now.match?.session_id === session_id) return followed({ ...now, match: afterEvent(now.match, event, given) });
  if (event.name === "opponent_joined" && now.match && event.payload.previous_session_id === now.match.session_id) {
    return { ...now, opening: openingOf(now, session_id, event) };
  }
  return event.name === "quiz_results" || event.name === "session_expired" ? withoutSession(now, session_id) : now;
}

/** A match that has just changed: one that is over is no live session, and leads to its rematch where there is one. */
function followed(now: Snapshot): Snapshot {
  const { match } = now;
  if (!match || !isOver(match)) return now;
  const next = match.rematch?.session_id;
  const goesOn = next !== undefined && now.sessions.some((one) => one.session_id === next);
  return { ...withoutSession(now, match.session_id), opening: goesOn ? openingOf(now, next) : now.opening };
}

function opening(session_id: string, ...heard: Heard[]): Opening {
  return { session_id, heard };
}

/** What is being opened already goes on being so, with what was heard of it. */
function openingOf(now: Snapshot, session_id: string, ...heard: Heard[]): Opening {
  return now.opening?.session_id === session_id ? now.opening : opening(session_id, ...heard);
}

function withoutOpening(now: Snapshot, session_id: string): Snapshot {
  const opened = now.opening?.session_id === session_id ? { ...now, opening: null } : now;
  return inMatch(withoutSession(opened, session_id), session_id, (match) => ({ ...match, missed: false }));
}

function withoutSession(now: Snapshot, session_id: string): Snapshot {
  return now.sessions.some((one) => one.session_id === session_id)
    ? { ...now, sessions: now.sessions.filter((one) => one.session_id !== session_id) }
    : now;
}

function inMatch(now: Snapshot, session_id: string, change: (match: Match) => Match): Snapshot {
  return now.match?.session_id === session_id ? { ...now, match: change(now.match) } : now;
}

function failedOnceMore(connection: Connection): Connection {
  const failures = "failures" in connection ? connection.failures + 1 : 1;
  return { status: connection.status === "connecting" ? "connecting" : "offline", failures };
}
