// What outlives a reload: the guest's token, the session on screen, and the search that is under way.
import type { FindOpponent } from "./contract.js";

/** Where things are kept: `sessionStorage`, `localStorage`, or anything that is used like them. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const TOKEN = "pairquiz.token";
const SESSION = "pairquiz.session";
const SEARCH = "pairquiz.search";

/** Read once, written at each change. A storage that is full or forbidden only means that a reload begins anew. */
export class Kept {
  private readonly values = new Map<string, string>();

  constructor(private readonly storage: TextStorage | null) {
    for (const key of [TOKEN, SESSION, SEARCH]) {
      const value = attempt(() => storage?.getItem(key));
      if (value) this.values.set(key, value);
    }
  }

  get token(): string | null {
    return this.values.get(TOKEN) ?? null;
  }

  set token(token: string | null) {
    this.write(TOKEN, token);
  }

  get session_id(): string | null {
    return this.values.get(SESSION) ?? null;
  }

  set session_id(session_id: string | null) {
    this.write(SESSION, session_id);
  }

  get search(): FindOpponent | null {
    return attempt(() => JSON.parse(this.values.get(SEARCH) ?? "null") as FindOpponent | null) ?? null;
  }

  set search(wishes: FindOpponent | null) {
    this.write(SEARCH, wishes && JSON.stringify(wishes));
  }

  private write(key: string, value: string | null): void {
    if (value === (this.values.get(key) ?? null)) return;
    if (value === null) {
      this.values.delete(key);
      attempt(() => this.storage?.removeItem(key));
    } else {
      this.values.set(key, value);
      attempt(() => this.storage?.setItem(key, value));
    }
  }
}

/** The tab's own storage, so that two windows of one browser are two players; none where there is no browser. */
export function defaultStorage(): TextStorage | null {
  return typeof document === "undefined" ? null : (attempt(() => globalThis.sessionStorage) ?? null);
}

/** What a browser that forbids storage throws at is as good as nothing. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
