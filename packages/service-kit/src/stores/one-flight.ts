import { setTimeout as sleep } from "node:timers/promises";
import type { KeyValueStore } from "./store.ts";

export interface FlightOptions {
  /** Longer than the work ever takes: the lease of a replica that died ends by itself. */
  readonly leaseSeconds: number;
  /** How long to wait for somebody else's flight. */
  readonly waitMs: number;
  /** How often to look whether it is over. */
  readonly lookMs?: number | undefined;
}

/**
 * Does the work on one replica at a time, for example using a refresh token that is good for one use.
 * @returns the work's result, or undefined when somebody else was at it: look again at what they left
 */
export async function oneFlight<T>(
  store: Pick<KeyValueStore, "lease">,
  name: string,
  { leaseSeconds, waitMs, lookMs = 25 }: FlightOptions,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const lifetime = { ttlSeconds: leaseSeconds };
  const lease = await store.lease(name, lifetime);
  if (lease !== undefined) {
    try {
      return await work();
    } finally {
      await lease.release();
    }
  }
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    await sleep(lookMs);
    const free = await store.lease(name, lifetime);
    if (free === undefined) continue;
    await free.release();
    break;
  }
  return undefined;
}
