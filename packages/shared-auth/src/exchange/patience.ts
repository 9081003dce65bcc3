import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhen,
  type IRetryBackoffContext,
  retry,
  wrap,
} from "cockatiel";
import { AuthError } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import { BusyError, unavailable } from "./faults.ts";

export interface PatienceOptions {
  /** For the events. */
  readonly server: string;
  /** Further attempts after the first. */
  readonly retries: number;
  readonly onEvent: OnEvent;
}

/** Runs one request with our patience; ends when the signal does. */
export type Patience = <T>(request: () => Promise<T>, signal: AbortSignal) => Promise<T>;

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
export function createPatience({ server, retries, onEvent }: PatienceOptions): Patience {
  const again = retry(handleWhen(worthAnotherTry), { maxAttempts: retries, backoff: new DelegateBackoff(pauseMs) });
  const breaker = circuitBreaker(handleWhen(isUnavailable), {
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    halfOpenAfter: OPEN_MS,
  });
  again.onRetry(({ attempt }) => onEvent({ type: "exchange_retried", server, attempt }));
  breaker.onStateChange((state) => onEvent({ type: "breaker_changed", server, state: stateNames[state] }));
  const policy = wrap(breaker, again);

  return async (request, signal) => {
    try {
      return await policy.execute(request, signal);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? unavailable(error, OPEN_MS / 1000) : error;
    }
  };
}

const stateNames = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
} as const;

function isUnavailable(error: unknown): boolean {
  return error instanceof AuthError && error.code === "exchange_unavailable";
}

function busyCause(error: unknown): BusyError | undefined {
  return error instanceof AuthError && error.cause instanceof BusyError ? error.cause : undefined;
}

function worthAnotherTry(error: unknown): boolean {
  const busy = busyCause(error);
  return busy !== undefined && (busy.retryAfterSeconds ?? 0) * 1000 <= LONGEST_PAUSE_MS;
}

/** Doubling, and anywhere in its upper half, so that callers who failed together do not come back together. */
function pauseMs({ attempt, result }: IRetryBackoffContext<unknown>): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
  const asked = "error" in result ? (busyCause(result.error)?.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(asked, longest * (0.5 + Math.random() / 2));
}
