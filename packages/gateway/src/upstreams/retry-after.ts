/** The longest wait taken from an upstream; a larger one is its mistake or its joke. */
const maxRetryAfterSeconds = 3600;

/** `Retry-After` in seconds (RFC 9110 section 10.2.3: a number or a date); undefined when absent or unreadable. */
export function retryAfterSeconds(header: string | string[] | undefined, nowMs = Date.now()): number | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.min(maxRetryAfterSeconds, Math.max(0, Math.ceil(seconds))) : undefined;
}

/**
 * The wait a provider asks for, in seconds; in milliseconds, which go first, OpenAI and Azure say it by `retry-after-ms`
 * and AWS by `x-amz-retry-after`.
 */
export function retryAfter(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const fine = headers["retry-after-ms"] ?? headers["x-amz-retry-after"];
  if (typeof fine === "string" && /^\d{1,9}$/.test(fine)) return Math.min(maxRetryAfterSeconds, Number(fine) / 1000);
  return retryAfterSeconds(headers["retry-after"]);
}
