/** Why the gateway did not answer as asked; each dialect writes it in its own words and status. */
export type GatewayErrorCode =
  | "unauthenticated"
  | "auth_unavailable"
  | "forbidden"
  | "not_found"
  | "model_not_found"
  | "invalid_request"
  | "unsupported"
  | "not_supported"
  | "request_too_large"
  | "request_timeout"
  | "rate_limited"
  | "budget_exhausted"
  | "upstream_throttled"
  | "upstream_invalid_request"
  | "context_length_exceeded"
  | "upstream_denied"
  | "upstream_timeout"
  | "upstream_unavailable"
  | "upstream_failed"
  | "content_filtered"
  | "shutting_down"
  | "internal";

interface GatewayErrorDetails {
  readonly cause?: unknown;
  /** The request field at fault, for example `messages[1].content`. */
  readonly param?: string;
  /** The provider's own word for what was wrong, where it has one that says more than ours. */
  readonly providerCode?: string;
  readonly retryAfterSeconds?: number;
  /** False: the client must not retry by itself. Left out, it is false where asking again changes nothing. */
  readonly shouldRetry?: boolean;
  /** Further headers of the answer: `www-authenticate`, rate limits. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The one error of this service. Each dialect says it in its own words; the private reason is the `cause`. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: GatewayErrorCode;
  readonly status: number;
  /** The field that is wrong, as the client wrote it. */
  readonly param: string | undefined;
  readonly providerCode: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** False: the client must not retry by itself; undefined: it may decide. */
  readonly shouldRetry: boolean | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message for the client: what was wrong and what to do; no secret, no upstream's internals */
  constructor(code: GatewayErrorCode, message: string, details: GatewayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = statusOf[code];
    this.param = details.param;
    this.providerCode = details.providerCode;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.shouldRetry = details.shouldRetry ?? (lasting.has(code) ? false : undefined);
    this.headers = details.headers ?? {};
  }
}

const statusOf: Readonly<Record<GatewayErrorCode, number>> = {
  unauthenticated: 401,
  auth_unavailable: 503,
  forbidden: 403,
  not_found: 404,
  model_not_found: 404,
  invalid_request: 400,
  unsupported: 400,
  // Not the request is wrong: nobody behind this name can do it.
  not_supported: 501,
  request_too_large: 413,
  request_timeout: 408,
  rate_limited: 429,
  budget_exhausted: 429,
  upstream_throttled: 429,
  upstream_invalid_request: 400,
  context_length_exceeded: 400,
  upstream_denied: 502,
  upstream_timeout: 504,
  upstream_unavailable: 503,
  upstream_failed: 502,
  content_filtered: 400,
  shutting_down: 503,
  internal: 500,
};

/**
 * What stays so however often it is asked. Some clients try again whatever they are told: Claude Code asked ten times in
 * three minutes, in silence, before it showed a refusal that did not say this.
 */
const lasting: ReadonlySet<GatewayErrorCode> = new Set<GatewayErrorCode>([
  "forbidden",
  "not_found",
  "model_not_found",
  "invalid_request",
  "unsupported",
  "not_supported",
  "request_too_large",
  "upstream_invalid_request",
  "context_length_exceeded",
  "upstream_denied",
  "content_filtered",
]);

/** The same words wherever it is found out. */
export function noSuchModel(model: string): GatewayError {
  const message = `The model '${model}' does not exist here. GET /v1/models lists those that do.`;
  return new GatewayError("model_not_found", message, { param: "model" });
}
