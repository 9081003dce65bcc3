import { writeAtTurnsEnd } from "@onbehalf/service-kit";
import { buildConnector, type Dispatcher, Pool } from "undici";

interface PoolOptions {
  /** For the connection and its TLS handshake together; undici's clock keeps it to half a second. */
  readonly connectTimeoutMs: number;
  /** Upper bound of connections to one origin. */
  readonly maxConnections?: number;
}

/** Beyond this many streams at once to one origin, requests wait for one to end. */
const defaultMaxConnections = 2048;
/** Longer than a busy minute's pauses, shorter than the idle limits of AWS's front ends. */
const keepAliveMs = 30_000;

/** One pool of kept connections per upstream origin; `close` waits for what runs. */
export function createPools(options: PoolOptions) {
  const pools = new Map<string, Pool>();
  const connector = buildConnector({ timeout: options.connectTimeoutMs, allowH2: false });
  const connect: buildConnector.connector = (target, connected) => {
    connector(target, (...outcome) => {
      const [, socket] = outcome;
      if (socket) writeAtTurnsEnd(socket);
      connected(...outcome);
    });
  };
  const open = (origin: string): Pool =>
    new Pool(origin, {
      connections: options.maxConnections ?? defaultMaxConnections,
      connect,
      keepAliveTimeout: keepAliveMs,
      allowH2: false,
      // The relay's own clock cuts waiting and idle calls, exactly and in the dialect's words.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  return {
    to(origin: string): Dispatcher {
      const kept = pools.get(origin);
      if (kept !== undefined) return kept;
      const pool = open(origin);
      pools.set(origin, pool);
      return pool;
    },
    async close(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
    async destroy(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
