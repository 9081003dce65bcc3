import type { GatewayError, GatewayErrorCode } from "../../errors.ts";

/** OpenAI's words for whose fault it was. */
const typeOf: Readonly<Record<GatewayErrorCode, string>> = {
  unauthenticated: "authentication_error",
  auth_unavailable: "server_error",
  forbidden: "permission_error",
  not_found: "invalid_request_error",
  model_not_found: "invalid_request_error",
  invalid_request: "invalid_request_error",
  unsupported: "invalid_request_error",
  not_supported: "invalid_request_error",
  request_too_large: "invalid_request_error",
  request_timeout: "invalid_request_error",
  rate_limited: "rate_limit_error",
  budget_exhausted: "insufficient_quota",
  upstream_throttled: "rate_limit_error",
  upstream_invalid_request: "invalid_request_error",
  context_length_exceeded: "invalid_request_error",
  upstream_denied: "server_error",
  upstream_timeout: "server_error",
  upstream_unavailable: "server_error",
  upstream_failed: "server_error",
  content_filtered: "invalid_request_error",
  shutting_down: "server_error",
  internal: "server_error",
};

/** The words OpenAI's SDKs and their users compare `code` with; the provider's or our own code where OpenAI has none. */
const codeOf: Readonly<Partial<Record<GatewayErrorCode, string>>> = {
  unauthenticated: "invalid_api_key",
  unsupported: "unsupported_parameter",
  rate_limited: "rate_limit_exceeded",
  budget_exhausted: "insufficient_quota",
  upstream_throttled: "rate_limit_exceeded",
  content_filtered: "content_filter",
};

/** Alone it is the data of a stream's last event, where the head has gone out already. */
export function openaiErrorBody(error: GatewayError, requestId?: string): string {
  return JSON.stringify({
    error: {
      message: error.message,
      type: typeOf[error.code],
      param: error.param ?? null,
      code: codeOf[error.code] ?? error.providerCode ?? error.code,
      ...(requestId === undefined ? {} : { request_id: requestId }),
    },
  });
}

/** The OpenAI envelope with its status; the same on chat completions, Responses and embeddings. */
export function openaiError(error: GatewayError, requestId: string) {
  return {
    status: error.status,
    headers: { "content-type": "application/json", "x-request-id": requestId, ...retryHeaders(error) },
    body: openaiErrorBody(error, requestId),
  };
}

/** `x-should-retry` is obeyed by the OpenAI and Anthropic SDKs, and overrides what they make of the status. */
export function retryHeaders(error: GatewayError): Record<string, string> {
  return {
    ...error.headers,
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterSeconds))) }),
    ...(error.shouldRetry === undefined ? {} : { "x-should-retry": String(error.shouldRetry) }),
  };
}
