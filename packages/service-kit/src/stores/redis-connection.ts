import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import { StoreUnavailable } from "../unavailable.ts";
import { within } from "../within.ts";
import type { RedisClient } from "./redis-client.ts";

/** Which Redis, and how long it is waited for. */
export interface RedisOptions {
  /** `redis://` or, with TLS, `rediss://`. */
  readonly url: string;
  /** What it holds, in words for a caller who cannot be served without it; `store` unless given. */
  readonly what?: string | undefined;
  /** For the whole of one operation, in milliseconds; 1000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** Told of broken connections: a matter for the log, the client connects again by itself. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** A connection to Redis that never waits long: every operation is bounded in time and, while Redis is away, refused at once. */
export interface RedisConnection {
  readonly client: RedisClient;
  /** @throws StoreUnavailable when Redis does not answer in time, or with an error */
  run<T>(operation: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Rejects while Redis cannot be reached: for readiness. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const connectMs = 2_000;
const failuresToOpen = 5;
/** How long nothing is asked of a Redis that has failed; then one operation tries. */
const restMs = 1_000;

/**
 * Connects, or goes on connecting in the background: a service starts without its Redis, not ready, and gets well by
 * itself. The client library is loaded only here: it is the slowest part of a start.
 */
export async function openRedis(options: RedisOptions): Promise<RedisConnection> {
  const { url, what = "store", timeoutMs = 1_000, onError = () => {} } = options;
  const { newClient } = await import("./redis-client.ts");
  const client = newClient(url, connectMs);
  client.on("error", onError);
  const connected = client.connect().then(() => {}, onError);
  await inTime(connected, connectMs).catch(onError);

  const breaker = circuitBreaker(handleAll, { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(failuresToOpen) });
  const run = async <T>(operation: (client: RedisClient) => Promise<T>): Promise<T> => {
    try {
      return await breaker.execute(() => inTime(operation(client), timeoutMs));
    } catch (error) {
      throw new StoreUnavailable(what, error);
    }
  };
  return {
    client,
    run,
    async ready() {
      await run((redis) => redis.ping());
    },
    async close() {
      if (client.isReady && breaker.state === CircuitState.Closed)
        await inTime(client.close(), timeoutMs).catch(onError);
      if (client.isOpen) client.destroy();
    },
  };
}

/** The client's own timeout ends only what was not sent yet; a Redis that hangs would be waited for without end. */
function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  return within(work, ms, () => Promise.reject(new Error(`Redis gave no answer within ${ms} ms`)));
}
