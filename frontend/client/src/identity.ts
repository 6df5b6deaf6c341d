// Who we are to the server: the user's token where the app has one, else the guest's that the server gave us.
import type { Kept } from "./kept.js";

/** Says the user's newest token, asked for at each connection and when one expires; null for a guest. */
export type TokenSource = () => string | null | Promise<string | null>;

export class Identity {
  private used: string | null = null;

  constructor(
    private readonly kept: Kept,
    private readonly source?: TokenSource,
  ) {}

  /** The newest token; null for a guest who has none yet. Rejects where the app's own source does. */
  async token(): Promise<string | null> {
    return (await this.source?.()) ?? this.kept.token;
  }

  /** The newest token, remembered as the one with which we have come. */
  async tokenToUse(): Promise<string | null> {
    this.used = await this.token();
    return this.used;
  }

  /** The token that follows the one in use; null where there is no other. A guest's own is followed by itself. */
  async nextToken(): Promise<string | null> {
    const token = await this.token().catch(() => null);
    return token === this.used && token !== this.kept.token ? null : token;
  }

  /** Whether there is another token than the one with which we have come. */
  async hasAnother(): Promise<boolean> {
    const token = await this.token().catch(() => null);
    return token !== null && token !== this.used;
  }

  /** The server has taken this token in place of the one with which we have come. */
  taken(token: string): void {
    this.used = token;
  }

  /** Keep what the server has given a guest. */
  remember(guestToken: string): void {
    if (this.used === null || this.used === this.kept.token) this.used = guestToken;
    this.kept.token = guestToken;
  }

  /** Forget a guest's token that was refused; tell whether it was the one in use. */
  forgetRefused(): boolean {
    if (this.kept.token === null || this.used !== this.kept.token) return false;
    this.kept.token = null;
    return true;
  }
}
