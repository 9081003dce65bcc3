import { GatewayError, type GatewayErrorCode } from "./errors.ts";

/** Where a failed attempt may be made again: at the same deployment too, only at another one, or nowhere. */
type RetryPlace = "anywhere" | "elsewhere" | "nowhere";

const places: Readonly<Partial<Record<GatewayErrorCode, RetryPlace>>> = {
  upstream_throttled: "anywhere",
  upstream_unavailable: "anywhere",
  upstream_failed: "anywhere",
  // A second wait of the same length helps nobody, and a refusal stays one.
  upstream_timeout: "elsewhere",
  upstream_denied: "elsewhere",
};

/** `nowhere` where another try would end the same way. */
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

/**
 * Whether the client says that it will ask again by itself. AWS's SDKs do, and know no word that would stop them: three
 * attempts here for each of their three, or four, would be nine or twelve at the provider.
 */
export function asksAgain(headers: Headers): boolean {
  const most = /\bmax=(\d{1,3})(?!\d)/.exec(headers.get("amz-sdk-request") ?? "")?.[1];
  return most !== undefined && Number(most) > 1;
}

/**
 * The error a client gets in the end. When the gateway has retried already, its SDK is told not to do the same again:
 * three attempts at each of two places would be nine at the provider.
 */
export function exhausted(error: GatewayError, retried: boolean): GatewayError {
  if (!retried || error.shouldRetry !== undefined) return error;
  const { cause, param, retryAfterSeconds, headers } = error;
  return new GatewayError(error.code, error.message, {
    cause,
    headers,
    shouldRetry: false,
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
