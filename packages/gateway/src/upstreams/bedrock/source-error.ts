/** Names by which AWS says "later", with a status of the caller's fault or without one. */
const later: ReadonlySet<string> = new Set([
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TooManyRequestsException",
  "RequestTimeout",
  "RequestTimeoutException",
  "TimeoutError",
  "AbortError",
  "IDPCommunicationError",
]);

/** Connections that could not be made, or broke. */
const broken = /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/;

/** Whether a source of credentials may give some the next time it is asked. */
export function isPassing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("name" in error && later.has(String(error.name))) return true;
  if ("code" in error && broken.test(String(error.code))) return true;
  const status = statusOf(error);
  return status !== undefined && (status >= 500 || status === 429);
}

/** Whether no answer came at all. */
export function isUnanswered(error: unknown): boolean {
  return typeof error !== "object" || error === null || statusOf(error) === undefined;
}

/** Answered by AWS with this status; undefined when no answer came. */
function statusOf(error: object): number | undefined {
  if (!("$metadata" in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
