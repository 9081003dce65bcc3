import { setTimeout as pause } from "node:timers/promises";
import { AuthError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { createBreaker } from "./breaker.ts";
import { BusyError, unavailable } from "./faults.ts";

/** For one token endpoint. */
interface PatienceOptions {
  /** For the events. */
  readonly server: string;
  /** Further attempts after the first. */
  readonly retries: number;
  readonly steadyMs: () => number;
  readonly onEvent: OnEvent;
}

/** How long a caller is served. */
export interface Effort {
  /** Ends the work: the time is up, or the caller left. */
  readonly signal: AbortSignal;
  /** A caller who left says nothing about the server. */
  readonly callerLeft: () => boolean;
}

/** Runs one request with our patience; ends when the effort does. */
type Patience = <T>(request: () => Promise<T>, effort: Effort) => Promise<T>;

/** So many requests must fail in a row before the server is left alone for a while. */
const FAILURES_TO_OPEN = 5;
const OPEN_MS = 3000;
const FIRST_PAUSE_MS = 100;
/** A server that asks for a longer pause gets it from the caller, by Retry-After. */
const LONGEST_PAUSE_MS = 1000;

/**
 * Patience with one token endpoint: a busy one (5xx, 429) is asked again a few times, at spread moments; one that stays
 * out of reach is not asked at all for a while.
 */
export function createPatience({ server, retries, steadyMs, onEvent }: PatienceOptions): Patience {
  const breaker = createBreaker({
    failures: FAILURES_TO_OPEN,
    openMs: OPEN_MS,
    steadyMs,
    onState: (state) => onEvent({ type: "breaker_changed", server, state }),
  });

  async function persist<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request();
      } catch (error) {
        if (attempt > retries || !worthAnotherTry(error)) throw error;
        onEvent({ type: "exchange_retried", server, attempt });
        await pause(pauseMs(attempt, error), undefined, { signal });
      }
    }
  }

  return async (request, { signal, callerLeft }) => {
    const closedFor = breaker.closedFor();
    if (closedFor > 0) throw unavailable(new Error(`${server} is left alone for now.`), Math.ceil(closedFor / 1000));
    try {
      const answer = await persist(request, signal);
      breaker.succeeded();
      return answer;
    } catch (error) {
      // A refusal is an answer too: the server is there.
      if (error instanceof AuthError && error.code !== "exchange_unavailable") breaker.succeeded();
      else if (!callerLeft()) breaker.failed();
      throw error;
    }
  };
}

function busyCause(error: unknown): BusyError | undefined {
  return error instanceof AuthError && error.cause instanceof BusyError ? error.cause : undefined;
}

function worthAnotherTry(error: unknown): boolean {
  const busy = busyCause(error);
  return busy !== undefined && askedMs(busy) <= LONGEST_PAUSE_MS;
}

/** Doubling, and anywhere in its upper half, so that callers who failed together do not come back together. */
function pauseMs(attempt: number, error: unknown): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
  return Math.max(askedMs(busyCause(error)), longest * (0.5 + Math.random() / 2));
}

const askedMs = (busy: BusyError | undefined): number => (busy?.retryAfterSeconds ?? 0) * 1000;
