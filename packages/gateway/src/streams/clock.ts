import { createDeadlines, type Deadlines } from "@onbehalf/service-kit";
import { GatewayError } from "../errors.ts";

/** How long an upstream may be silent, and for how long it may speak. */
export interface RelayLimits {
  /** Until the first byte of a stream. */
  readonly firstByteMs: number;
  /** Between two bytes of a stream. */
  readonly idleMs: number;
  /** For the whole call. */
  readonly totalMs: number;
  /** Silence after which a keep-alive is sent. */
  readonly keepAliveMs: number;
}

/** Watches over one call. */
export interface Clock {
  /**
   * Something came from upstream.
   * @param told whether the client hears of it; what is kept from him leaves him in silence
   */
  touch(told: boolean): void;
  /** A slow client holds the stream up: the upstream is not to blame for silence. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** For an answer that comes whole: it has the time of a whole call, and nothing else is asked of it. */
export function wholeClock(limits: RelayLimits, expired: (error: GatewayError) => void): Clock {
  const deadlines = deadlinesOf(limits);
  const deadline = deadlines.begin(() => expired(timeout(tooLong)));
  return { touch: nothing, pause: nothing, resume: nothing, stop: () => deadlines.end(deadline) };
}

/** Calls under the same limits share a timer. It goes with the limits, and holds no more than the calls that run. */
const shared = new WeakMap<RelayLimits, Deadlines>();

function deadlinesOf(limits: RelayLimits): Deadlines {
  const kept = shared.get(limits);
  if (kept !== undefined) return kept;
  const made = createDeadlines(limits.totalMs);
  shared.set(limits, made);
  return made;
}

function nothing(): void {}

/** For a stream, one timer for all of its limits: it wakes at the nearest one, looks, and sleeps again. */
export function streamClock(limits: RelayLimits, on: { expired(error: GatewayError): void; idle(): void }): Clock {
  const startedAt = performance.now();
  let lastAt = startedAt;
  let quietSince = startedAt;
  let first = true;
  let paused = false;
  let timer: NodeJS.Timeout;

  const silenceMs = (): number => (first ? limits.firstByteMs : limits.idleMs);
  const overdue = (now: number): string | undefined => {
    if (now - startedAt >= limits.totalMs) return tooLong;
    if (paused || now - lastAt < silenceMs()) return undefined;
    return first ? "with a first byte in time" : "for too long in the middle of its answer";
  };
  const look = (): void => {
    const now = performance.now();
    const problem = overdue(now);
    if (problem !== undefined) {
      on.expired(timeout(problem));
      return;
    }
    if (now - quietSince >= limits.keepAliveMs) {
      quietSince = now;
      on.idle();
    }
    sleep(now);
  };
  const sleep = (now: number): void => {
    const untilTotal = startedAt + limits.totalMs - now;
    const untilSilent = paused ? untilTotal : lastAt + silenceMs() - now;
    const untilQuiet = quietSince + limits.keepAliveMs - now;
    timer = setTimeout(look, Math.max(1, Math.ceil(Math.min(untilTotal, untilSilent, untilQuiet))));
  };
  /** A limit that begins now may end before the timer was to wake. */
  const again = (): void => {
    clearTimeout(timer);
    sleep(lastAt);
  };
  sleep(startedAt);
  return {
    touch(told): void {
      lastAt = performance.now();
      if (told) quietSince = lastAt;
      if (!first) return;
      first = false;
      again();
    },
    pause(): void {
      paused = true;
    },
    resume(): void {
      paused = false;
      lastAt = performance.now();
      again();
    },
    stop: () => clearTimeout(timer),
  };
}

const tooLong = "in the time a whole call may take";

function timeout(what: string): GatewayError {
  return new GatewayError("upstream_timeout", `The model did not answer ${what}. Try again, or ask for less.`);
}
