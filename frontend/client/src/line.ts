// The connection, over the official socket.io-client: who we are, when to come back, and when not to.
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import {
  type ClientToServerEvents,
  type CommandRefused,
  PROTOCOL,
  type ServerToClientEvents,
  type Welcome,
} from "./contract.js";
import type { Identity } from "./identity.js";
import type { EventName, Heard } from "./news.js";
import type { CommandName, Result } from "./outbox.js";

/** What befalls the line. Whoever is `lost` comes back by itself; whoever is `sentAway` or `refused` does not. */
export interface Listener {
  heard(event: Heard): void;
  attemptFailed(): void;
  lost(): void;
  sentAway(): void;
  refused(code: string, message: string): void;
}

export type LineOptions = Partial<ManagerOptions & SocketOptions>;

/** A command that has no answer by then is sent again. The server answers within three seconds, whatever hangs. */
const ANSWER_MS = 5000;

/** How a stock client comes back: a pause that grows, with chance in it. */
const USUAL_PAUSES = { reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5 };

/** One command as good as another: which payload goes with which name has been checked where it came from. */
interface Untyped {
  emit(name: string, payload: object, answered: (error: Error | null, reply: Result<object>) => void): void;
}

export class Line {
  private readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  private readonly pauses: typeof USUAL_PAUSES;
  private farewell: CommandRefused | null = null;
  private introductions = 0;

  constructor(
    url: string | undefined,
    private readonly identity: Identity,
    private readonly listener: Listener,
    options: LineOptions = {},
  ) {
    const settings: LineOptions = {
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      ...USUAL_PAUSES,
      ...options,
      autoConnect: false,
      forceNew: true, // our pauses are not those of an app's own sockets at the same server
      auth: (say) => void this.introduce(say),
    };
    this.pauses = { ...USUAL_PAUSES, ...options };
    this.socket = url === undefined ? io(settings) : io(url, settings);
    this.socket.onAny((name: EventName, payload: unknown) => this.hear({ name, payload } as Heard));
    this.socket.on("connect_error", (error) => this.failed(error));
    this.socket.on("disconnect", (reason) => this.gone(reason));
  }

  connect(): void {
    this.farewell = null;
    this.socket.connect();
  }

  /** Try at once, instead of at the end of a pause. */
  hurry(): void {
    if (this.socket.connected || !this.socket.active) return;
    this.socket.disconnect();
    this.socket.connect();
  }

  close(): void {
    this.socket.disconnect();
  }

  /** Send a command; `answered` is called once, with null where no answer came. */
  send(name: CommandName, payload: object, answered: (reply: Result<object> | null) => void): void {
    const socket = this.socket.timeout(ANSWER_MS) as unknown as Untyped;
    socket.emit(name, payload, (error, reply) => answered(error ? null : reply));
  }

  private async introduce(say: (auth: object) => void): Promise<void> {
    this.introductions += 1;
    const introduction = this.introductions;
    const token = await this.identity.tokenToUse().catch(() => undefined);
    // The line may have broken while the app looked for its token: the next one is introduced by itself.
    if (introduction !== this.introductions) return;
    // The app does not know its own user's token for now: without it we would be somebody else.
    if (token === undefined) this.socket.io.engine.close();
    else say(token ? { token, protocol: PROTOCOL } : { protocol: PROTOCOL });
  }

  private hear(event: Heard): void {
    if (event.name === "welcome") this.welcomed(event.payload);
    if (event.name === "server_draining") this.comeBackAfter(event.payload.reconnect_in_ms);
    if (event.name === "error" && event.payload.code === "forbidden") this.farewell = event.payload;
    this.listener.heard(event);
  }

  private welcomed(welcome: Welcome): void {
    if (welcome.guest_token) this.identity.remember(welcome.guest_token);
    this.farewell = null;
    this.comeBackAsUsual();
  }

  /** Come back so long after the line is closed. The server has spread these times out already. */
  private comeBackAfter(ms: number): void {
    const manager = this.socket.io;
    manager.reconnectionDelay(ms);
    manager.reconnectionDelayMax(Math.max(ms, this.pauses.reconnectionDelayMax));
    manager.randomizationFactor(0);
  }

  private comeBackAsUsual(): void {
    const manager = this.socket.io;
    manager.reconnectionDelay(this.pauses.reconnectionDelay);
    manager.reconnectionDelayMax(this.pauses.reconnectionDelayMax);
    manager.randomizationFactor(this.pauses.randomizationFactor);
  }

  private failed(error: Error & { data?: { code?: string } }): void {
    if (this.socket.active) {
      this.listener.attemptFailed();
    } else if (error.data?.code === "unauthorized" && this.identity.forgetRefused()) {
      this.socket.connect(); // as a new guest: the old one is known to nobody any more
    } else {
      this.listener.refused(error.data?.code ?? "refused", error.message);
    }
  }

  private gone(reason: Socket.DisconnectReason): void {
    if (this.socket.active) this.listener.lost();
    else if (reason === "io server disconnect") {
      if (this.farewell) this.listener.refused(this.farewell.code, this.farewell.message);
      else this.listener.sentAway();
    }
  }
}
