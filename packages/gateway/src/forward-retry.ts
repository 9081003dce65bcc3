import type { GatewayError, GatewayErrorCode } from "./errors.ts";

/** Where a failed attempt may be made again: at the same deployment too, only at another one, or nowhere. */
export type RetryPlace = "anywhere" | "elsewhere" | "nowhere";

const places: Readonly<Partial<Record<GatewayErrorCode, RetryPlace>>> = {
  upstream_throttled: "anywhere",
  upstream_unavailable: "anywhere",
  upstream_failed: "anywhere",
  // A second wait of the same length helps nobody, and a refusal stays one.
  upstream_timeout: "elsewhere",
  upstream_denied: "elsewhere",
};

export function retryPlace(error: GatewayError): RetryPlace {
  return places[error.code] ?? "nowhere";
}

const firstDelayMs = 200;
const longestDelayMs = 2000;

/**
 * How long to wait before trying the same deployments again; undefined when the upstream asked for longer than a
 * request should hang: then the client is told, and waits by itself.
 */
export function retryDelayMs(
  round: number,
  error: GatewayError,
  random: () => number = Math.random,
): number | undefined {
  const asked = error.retryAfterSeconds === undefined ? 0 : error.retryAfterSeconds * 1000;
  if (asked > longestDelayMs) return undefined;
  const backoff = Math.min(longestDelayMs, firstDelayMs * 2 ** round);
  return Math.max(asked, backoff * (0.5 + random() / 2));
}
