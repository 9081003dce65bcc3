import { hash, randomUUID } from "node:crypto";
import type { Log } from "@onbehalf/service-kit";
import { createClient } from "redis";
import { z } from "zod";
import { type Bucket, type BucketState, type Counters, CountersUnavailable, type Verdict } from "./counters.ts";
import { chargeScript, seedScript, settleScript } from "./redis-script.ts";

export interface RedisCountersOptions {
  readonly url: string;
  /** In braces, so that a Redis cluster keeps all counters in one slot and a charge stays atomic. */
  readonly prefix?: string;
  readonly log: Pick<Log, "warn">;
}

/** For many replicas: every charge is one script, one round trip. */
export function redisCounters({ url, prefix = "{onbehalf:gateway}:limits:", log }: RedisCountersOptions): Counters {
  const client = openClient(url);
  let lastError = "";
  client.on("error", (error: Error) => {
    if (error.message !== lastError) log.warn({ err: error }, "limits: Redis cannot be reached");
    lastError = error.message;
  });
  client.on("ready", () => {
    lastError = "";
  });
  const connected = client.connect().catch(() => undefined); // said by the error event; it goes on trying
  const run = createRunner(client);
  const newLease = createLeaseNames();

  return {
    async charge(buckets) {
      const lease = newLease();
      const args = buckets.flatMap((bucket) => [bucket.kind, whole(bucket.max), ...amounts(bucket)]);
      const answer = await run(chargeScript, keysOf(buckets, prefix), [lease, ...args]);
      return readVerdict(answer, buckets, lease);
    },
    async settle({ states }, deltas) {
      const corrections = states
        .map((state, index) => ({ ...state, delta: deltas[index] ?? 0 }))
        .filter(({ bucket, delta }) => bucket.kind !== "window" || delta !== 0);
      if (corrections.length === 0) return;
      const args = corrections.flatMap(({ bucket, hold, delta }) => [
        bucket.kind,
        String(hold),
        whole(delta),
        whole(usedOf(bucket, delta)),
      ]);
      await run(
        settleScript,
        keysOf(
          corrections.map(({ bucket }) => bucket),
          prefix,
        ),
        args,
      );
    },
    async seed(bucket, used) {
      await run(seedScript, keysOf([bucket], prefix), [whole(used), whole(bucket.remainingMs)]);
    },
    async forget({ key }) {
      try {
        await client.del([prefix + key, `${prefix + key}:held`]);
      } catch (error) {
        throw new CountersUnavailable("Redis did not answer", { cause: error });
      }
    },
    async ready() {
      if (!client.isReady)
        throw new CountersUnavailable(`Redis cannot be reached${lastError === "" ? "" : `: ${lastError}`}`);
      await client.ping();
    },
    async close() {
      client.destroy();
      await connected;
    },
  };
}

type Client = ReturnType<typeof openClient>;

function openClient(url: string) {
  return createClient({
    url,
    // A command while Redis is away fails at once; waiting for it would hold up every request.
    disableOfflineQueue: true,
    socket: { connectTimeout: 1_000, reconnectStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000) },
  });
}

/** By its digest; with its text only when Redis does not know it (first use, or after a restart). */
function createRunner(client: Client) {
  const digests = new Map([chargeScript, settleScript, seedScript].map((script) => [script, hash("sha1", script)]));
  return async (script: string, keys: string[], args: string[]): Promise<unknown> => {
    const call = { keys, arguments: args };
    try {
      return await client.evalSha(digests.get(script) ?? "", call).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith("NOSCRIPT")) return client.eval(script, call);
        throw error;
      });
    } catch (error) {
      throw new CountersUnavailable("Redis did not answer", { cause: error });
    }
  };
}

const stateForm = z.tuple([z.number(), z.number(), z.number(), z.string()]);
const answerForm = z.union([
  z.tuple([z.literal(-1), z.array(z.number())]),
  z.tuple([z.union([z.literal(0), z.literal(1)]), z.array(stateForm)]),
]);

function readVerdict<B extends Bucket>(answer: unknown, buckets: readonly B[], lease: string): Verdict<B> {
  const parsed = answerForm.parse(answer);
  if (parsed[0] === -1) return { kind: "unseeded", indices: parsed[1] };
  const answered = parsed[1];
  const states = buckets.map((bucket, index): BucketState<B> => {
    const state = answered[index];
    if (state === undefined) throw new TypeError("Redis answered about fewer buckets than it was asked for");
    const [used, resetMs, room, hold] = state;
    return { bucket, used, resetMs, room: room === 1, hold: bucket.kind === "gauge" ? lease : hold };
  });
  return { kind: parsed[0] === 1 ? "granted" : "refused", states };
}

/** Unlike those of any other replica, and of this one's other calls. */
function createLeaseNames(): () => string {
  const replica = randomUUID();
  let calls = 0;
  return () => {
    calls += 1;
    return `${replica}:${calls}`;
  };
}

function keysOf(buckets: readonly Bucket[], prefix: string): string[] {
  return buckets.map(({ key }) => prefix + key);
}

function amounts(bucket: Bucket): [amount: string, ms: string, leaseMs: string] {
  switch (bucket.kind) {
    case "window":
      return [whole(bucket.amount), whole(bucket.windowMs), "0"];
    case "gauge":
      return ["1", whole(bucket.leaseMs), "0"];
    case "sum":
      return [whole(bucket.amount), whole(bucket.remainingMs), whole(bucket.leaseMs)];
  }
}

function usedOf(bucket: Bucket, delta: number): number {
  return bucket.kind === "gauge" ? 0 : bucket.amount + delta;
}

function whole(value: number): string {
  return String(Math.round(value));
}
