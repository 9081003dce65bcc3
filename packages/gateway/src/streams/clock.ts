import { GatewayError } from "../errors.ts";

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

/**
 * One timer per call for all of its limits: it wakes at the nearest one, looks, and sleeps again. While a slow client
 * holds the stream up, the upstream is not to blame for silence.
 */
export function createClock(
  limits: RelayLimits,
  streamed: boolean,
  on: { expired(error: GatewayError): void; idle(): void },
) {
  const startedAt = performance.now();
  let lastAt = startedAt;
  let quietSince = startedAt;
  let first = true;
  let paused = false;
  let timer: NodeJS.Timeout;

  const silenceMs = (): number => (first ? limits.firstByteMs : limits.idleMs);
  const overdue = (now: number): string | undefined => {
    if (now - startedAt >= limits.totalMs) return "in the time a whole call may take";
    if (!streamed || paused || now - lastAt < silenceMs()) return undefined;
    return first ? "with a first byte in time" : "for too long in the middle of its answer";
  };
  const look = (): void => {
    const now = performance.now();
    const problem = overdue(now);
    if (problem !== undefined) {
      on.expired(timeout(problem));
      return;
    }
    if (streamed && now - quietSince >= limits.keepAliveMs) {
      quietSince = now;
      on.idle();
    }
    sleep(now);
  };
  const sleep = (now: number): void => {
    const untilTotal = startedAt + limits.totalMs - now;
    const untilSilent = streamed && !paused ? lastAt + silenceMs() - now : untilTotal;
    const untilQuiet = streamed ? quietSince + limits.keepAliveMs - now : untilTotal;
    timer = setTimeout(look, Math.max(1, Math.ceil(Math.min(untilTotal, untilSilent, untilQuiet))));
  };
  /** A limit that begins now may end before the timer was to wake. */
  const again = (): void => {
    if (!streamed) return;
    clearTimeout(timer);
    sleep(lastAt);
  };
  sleep(startedAt);
  return {
    touch(): void {
      lastAt = performance.now();
      quietSince = lastAt;
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

function timeout(what: string): GatewayError {
  return new GatewayError("upstream_timeout", `The model did not answer ${what}. Try again, or ask for less.`);
}
