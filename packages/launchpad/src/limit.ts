import { HttpError, type RedisClient } from "@onbehalf/service-kit";
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { Caller } from "./caller.ts";

interface LimitOptions {
  readonly appRequestsPerMinute: number;
  readonly clientRequestsPerMinute: number;
  /** Where replicas count together; without it each counts for itself. */
  readonly redis?: RedisClient | undefined;
}

const windowSeconds = 60;

/**
 * LIMIT: requests per minute of one person within an application (where no person is known, of one client), and of the
 * application as a whole, whose own figure replaces the general one. While Redis is away each replica counts for itself: better a wider limit than none.
 * The answered function throws HttpError 429, which names the limit and says when to come again.
 */
export function createLimit({ appRequestsPerMinute, clientRequestsPerMinute, redis }: LimitOptions) {
  const apps = counter("app", Number.MAX_SAFE_INTEGER, redis);
  const clients = counter("client", clientRequestsPerMinute, redis);

  return async ({ app, identity, clientId }: Pick<Caller, "app" | "identity" | "clientId">): Promise<void> => {
    // The person first, and whatever their client calls itself: nobody uses up an application for the others.
    const isPerson = identity.kind === "user";
    const who = isPerson ? `${identity.issuer} ${identity.subject}` : (clientId ?? "");
    await clients.consume(`${app.id} ${who}`).catch((state: { readonly msBeforeNext: number }) => {
      const name = isPerson ? identity.subject : `client ${clientId}`;
      throw limited(`${name} at application ${app.id}`, clientRequestsPerMinute, state.msBeforeNext);
    });
    const allowed = app.requests_per_minute ?? appRequestsPerMinute;
    const ofApp = await apps.consume(app.id);
    if (ofApp.consumedPoints > allowed) throw limited(`application ${app.id}`, allowed, ofApp.msBeforeNext);
  };
}

function counter(name: string, points: number, redis: RedisClient | undefined): RateLimiterAbstract {
  const own = new RateLimiterMemory({ points, duration: windowSeconds });
  if (redis === undefined) return own;
  return new RateLimiterRedis({
    storeClient: redis,
    useRedisPackage: true,
    keyPrefix: `launchpad:limit:${name}`,
    points,
    duration: windowSeconds,
    insuranceLimiter: own,
  });
}

function limited(what: string, perMinute: number, msBeforeNext: number): HttpError {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const message = `The limit of ${perMinute} requests per minute for ${what} is reached. Try again in ${retryAfterSeconds} s.`;
  return new HttpError(429, "rate_limited", message, { retryAfterSeconds });
}
