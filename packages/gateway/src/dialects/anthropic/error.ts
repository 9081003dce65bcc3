import type { GatewayError, GatewayErrorCode } from "../../errors.ts";
import { retryHeaders } from "../openai-chat/error.ts";

const typeOf: Readonly<Record<GatewayErrorCode, string>> = {
  unauthenticated: "authentication_error",
  auth_unavailable: "api_error",
  forbidden: "permission_error",
  not_found: "not_found_error",
  model_not_found: "not_found_error",
  invalid_request: "invalid_request_error",
  unsupported: "invalid_request_error",
  not_supported: "not_supported",
  request_too_large: "request_too_large",
  request_timeout: "invalid_request_error",
  rate_limited: "rate_limit_error",
  budget_exhausted: "rate_limit_error",
  upstream_throttled: "rate_limit_error",
  upstream_invalid_request: "invalid_request_error",
  context_length_exceeded: "invalid_request_error",
  upstream_denied: "api_error",
  upstream_timeout: "timeout_error",
  upstream_unavailable: "overloaded_error",
  upstream_failed: "api_error",
  content_filtered: "invalid_request_error",
  shutting_down: "overloaded_error",
  internal: "api_error",
};

/** Anthropic's own status for "try again later", which its SDK and tools know by number. */
const overloadedStatus = 529;

/** Alone it is the data of a stream's error event, where the head has gone out already. */
export function anthropicErrorBody(error: GatewayError, requestId?: string): string {
  return JSON.stringify({
    type: "error",
    error: { type: typeOf[error.code], message: messageOf(error) },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  });
}

/** What Anthropic's clients look for in a refusal: it has no code for a conversation that is too long. */
const tooLong = /(?:prompt|input) is too long|exceed context limit/i;

/** The provider's words, behind Anthropic's own where those are missing: by them a client knows what to shorten. */
function messageOf({ code, message }: GatewayError): string {
  return code !== "context_length_exceeded" || tooLong.test(message) ? message : `prompt is too long: ${message}`;
}

/** A refusal as Anthropic's clients read it; 529 for an overloaded upstream, which they know how to wait for. */
export function anthropicError(error: GatewayError, requestId: string) {
  return {
    status: error.code === "upstream_unavailable" ? overloadedStatus : error.status,
    headers: {
      "content-type": "application/json",
      "request-id": requestId,
      "x-request-id": requestId,
      ...retryHeaders(error),
    },
    body: anthropicErrorBody(error, requestId),
  };
}
