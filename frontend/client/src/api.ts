// What is asked for over HTTP: it needs no connection, and is about no match that runs.
import type { HeadToHead, History, Profile, PublicProfile, RankList, Topics } from "./contract.js";
import type { Result } from "./outbox.js";
import type { Refusal } from "./snapshot.js";

type Query = Readonly<Record<string, string | number | null | undefined>>;

const UNREACHABLE: Refusal = {
  code: "unreachable",
  message: "The server cannot be reached: try again in a moment",
  retry: true,
};

/** The REST routes. Like commands they never throw: look at `ok`. */
export class Api {
  private readonly url: string;

  /** `url` is where the server is, with or without a slash at its end. */
  constructor(
    url: string,
    private readonly token: () => Promise<string | null>,
  ) {
    this.url = url.replace(/\/+$/, "");
  }

  /** All topics, and how many questions each has. */
  topics(): Promise<Result<Topics>> {
    return this.request("GET", "/api/topics/");
  }

  /** One's own profile, with ratings. */
  profile(): Promise<Result<Profile>> {
    return this.request("GET", "/api/me/");
  }

  /** One's finished matches, the latest first; `cursor` is the `next_cursor` of the page before. */
  history(page: { limit?: number; cursor?: string | null } = {}): Promise<Result<History>> {
    return this.request("GET", "/api/pair-quiz/history/", page);
  }

  /** How one stands against the opponent of a session. */
  headToHead(session_id: string): Promise<Result<HeadToHead>> {
    return this.request("GET", `/api/pair-quiz/${encodeURIComponent(session_id)}/head-to-head/`);
  }

  /** The public profile of a player whose id one knows. */
  player(id: string): Promise<Result<PublicProfile>> {
    return this.request("GET", `/api/players/${encodeURIComponent(id)}/`);
  }

  /** The best of a topic, or of `all`. */
  leaderboard(topic: string, options: { period?: "all" | "week"; limit?: number } = {}): Promise<Result<RankList>> {
    return this.request("GET", `/api/leaderboards/${encodeURIComponent(topic)}/`, options);
  }

  /** All that is stored about one. */
  export(): Promise<Result<Record<string, unknown>>> {
    return this.request("GET", "/api/me/export/");
  }

  /** Have all of it erased. */
  erase(): Promise<Result<object>> {
    return this.request("DELETE", "/api/me/");
  }

  private async request<Reply>(method: string, path: string, query: Query = {}): Promise<Result<Reply>> {
    const asked = Object.entries(query).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]]));
    const search = asked.length ? `?${new URLSearchParams(asked)}` : "";
    try {
      const token = await this.token();
      const headers: HeadersInit = token ? { Authorization: `Bearer ${token}` } : {};
      const response = await fetch(`${this.url}${path}${search}`, { method, headers });
      const body = (await response.json()) as Reply | { error: Refusal };
      return response.ok ? { ok: true, ...(body as Reply) } : { ok: false, error: (body as { error: Refusal }).error };
    } catch {
      return { ok: false, error: UNREACHABLE };
    }
  }
}
