/** Where one is on the page: three routes, two of which lead to a duel. */

import { useSyncExternalStore } from "react";

export type Route =
  | { name: "play" }
  | { name: "best" }
  | { name: "profile" }
  | { name: "duel"; sessionId: string }
  | { name: "challenge"; code: string }
  | { name: "missing" };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const [JOIN_CODE, CHALLENGE_CODE] = [/^[0-9a-z]{8}$/i, /^[0-9a-z]{12}$/i];
const MOVED = "pairquiz:moved";

/** Reads an address. Leaderboards and the profile are marks on the first page, so that a server has to know three paths alone. */
export function readRoute(path: string, hash: string): Route {
  const [first, second, third, ...rest] = path.split("/").filter((part) => part !== "");
  if (rest.length > 0) return { name: "missing" };
  if (first === undefined) return { name: hash === "#leaderboards" ? "best" : hash === "#profile" ? "profile" : "play" };
  if (first !== "pair-quiz" || second === undefined) return { name: "missing" };
  if (second === "challenge" && third !== undefined) return { name: "challenge", code: decoded(third) };
  if (third !== undefined) return { name: "missing" };
  return { name: "duel", sessionId: decoded(second) };
}

/** Writes a route as an address. */
export function address(route: Route): string {
  switch (route.name) {
    case "best":
      return "/#leaderboards";
    case "profile":
      return "/#profile";
    case "duel":
      return `/pair-quiz/${encodeURIComponent(route.sessionId)}`;
    case "challenge":
      return `/pair-quiz/challenge/${encodeURIComponent(route.code)}`;
    default:
      return "/";
  }
}

/** What somebody has typed or pasted to join: a link of a duel, of a challenge, a session's id, or a code. */
export type Invitation = { sessionId: string } | { joinCode: string } | { challengeCode: string };

/** Reads it; null for what is none of these. */
export function readInvitation(text: string): Invitation | null {
  const tidy = text.trim();
  const path = /\/pair-quiz\/.*$/.exec(tidy)?.[0];
  if (path !== undefined) {
    const route = readRoute(path.replace(/[?#].*$/, ""), "");
    if (route.name === "duel") return { sessionId: route.sessionId };
    return route.name === "challenge" ? { challengeCode: route.code } : null;
  }
  if (UUID.test(tidy)) return { sessionId: tidy };
  const code = tidy.replace(/[\s-]/g, "");
  if (CHALLENGE_CODE.test(code)) return { challengeCode: code };
  return JOIN_CODE.test(code) ? { joinCode: code } : null;
}

/** Goes to a route. `replace` leaves no way back to where one was. */
export function go(route: Route, { replace = false } = {}): void {
  const target = address(route);
  if (target === `${location.pathname}${location.hash}`) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  window.dispatchEvent(new Event(MOVED));
}

/** The route of the address bar, as it is at any time. */
export function useRoute(): Route {
  const place = useSyncExternalStore(subscribe, () => `${location.pathname}${location.hash}`);
  const [path = "/", mark] = place.split("#");
  return readRoute(path, mark === undefined ? "" : `#${mark}`);
}

function subscribe(changed: () => void): () => void {
  const events = ["popstate", "hashchange", MOVED];
  for (const event of events) window.addEventListener(event, changed);
  return () => {
    for (const event of events) window.removeEventListener(event, changed);
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
