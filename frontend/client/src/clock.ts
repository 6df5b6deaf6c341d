// What the server's clock shows, told from a clock here that never jumps and a few round trips.

/** The server's time at a moment of our clock, give or take `doubt` (ms). */
interface Reading {
  readonly at: number;
  readonly server_time: number;
  readonly doubt: number;
}

/** How far two quartzes may drift apart: an old reading is doubted that much more with every second. */
const DRIFT_MS_A_SECOND = 0.1;

/** Tells the server's time. It never goes back, and is as good as the shortest round trip of late. */
export class ServerClock {
  private best: Reading | null = null;
  private latest = 0;

  /** `monotonic` is our clock in milliseconds, from whatever beginning. */
  constructor(private readonly monotonic: () => number = () => performance.now()) {}

  /** Milliseconds since the epoch by the server's clock; by our wall clock before anything was heard of it. */
  now(): number {
    if (this.best === null) return Date.now();
    const shown = this.best.server_time + (this.monotonic() - this.best.at);
    this.latest = Math.max(this.latest, shown);
    return this.latest;
  }

  /** Begin anew on a new line, with a time that was sent by nobody knows when: our clock may have slept meanwhile. */
  restart(server_time: number): void {
    this.best = { at: this.monotonic(), server_time, doubt: Infinity };
  }

  /** Begin a round trip; call what it returns with the time that the server has answered with. */
  roundTrip(): (server_time: number) => void {
    const sent = this.monotonic();
    return (server_time) => {
      const received = this.monotonic();
      const reading = { at: (sent + received) / 2, server_time, doubt: (received - sent) / 2 };
      if (this.best === null || reading.doubt <= doubtAt(this.best, received)) this.best = reading;
    };
  }
}

function doubtAt(reading: Reading, now: number): number {
  return reading.doubt + ((now - reading.at) / 1000) * DRIFT_MS_A_SECOND;
}
