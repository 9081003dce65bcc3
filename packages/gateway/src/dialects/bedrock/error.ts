import type { GatewayError, GatewayErrorCode } from "../../errors.ts";
import { encodeFrame } from "../../streams/event-stream.ts";
import { retryHeaders } from "../openai-chat/error.ts";

/** The exception an AWS SDK throws for each; it goes by this name and not by the status. */
const exceptionOf: Readonly<Record<GatewayErrorCode, string>> = {
  unauthenticated: "UnrecognizedClientException",
  auth_unavailable: "ServiceUnavailableException",
  forbidden: "AccessDeniedException",
  not_found: "ResourceNotFoundException",
  model_not_found: "ResourceNotFoundException",
  invalid_request: "ValidationException",
  unsupported: "ValidationException",
  not_supported: "ValidationException",
  request_too_large: "ValidationException",
  request_timeout: "ValidationException",
  rate_limited: "ThrottlingException",
  budget_exhausted: "ServiceQuotaExceededException",
  upstream_throttled: "ThrottlingException",
  upstream_invalid_request: "ValidationException",
  context_length_exceeded: "ValidationException",
  upstream_denied: "ModelErrorException",
  upstream_timeout: "ModelTimeoutException",
  upstream_unavailable: "ServiceUnavailableException",
  upstream_failed: "ModelErrorException",
  content_filtered: "ValidationException",
  shutting_down: "ServiceUnavailableException",
  internal: "InternalServerException",
};

/** What AWS's clients look for in a refusal, and how AWS hands on a model's own words. */
const tooLong = /input is too long for requested model|exceed context limit|^the model returned the following errors/i;

/** Another provider's words, behind those by which AWS's clients know that a conversation is too long. */
function messageOf({ code, message }: GatewayError): string {
  if (code !== "context_length_exceeded" || tooLong.test(message)) return message;
  return `Input is too long for requested model. ${message}`;
}

/** AWS's JSON error: the name in a header, the words in the body. */
export function bedrockDialectError(error: GatewayError, requestId: string, nowMs = Date.now()) {
  return {
    status: error.status,
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": exceptionOf[error.code],
      "x-amzn-requestid": requestId,
      ...retryHeaders(error),
      ...waitHeaders(error, nowMs),
    },
    body: JSON.stringify({ message: messageOf(error) }),
  };
}

/** The longest wait that is asked of a client in numbers, which it sleeps through before it says anything. */
const longestSleepSeconds = 60;

/**
 * How AWS's SDKs are told to wait: Go, Rust and Java by milliseconds of their own, Java by `retry-after` too. Java's sleeps
 * through any number of seconds, a day of a budget that is used up as well, and reads no date; so a long wait is one.
 */
function waitHeaders({ retryAfterSeconds }: GatewayError, nowMs: number): Record<string, string> {
  if (retryAfterSeconds === undefined) return {};
  const milliseconds = Math.ceil(retryAfterSeconds * 1000);
  return retryAfterSeconds > longestSleepSeconds
    ? { "retry-after": new Date(nowMs + milliseconds).toUTCString() }
    : { "x-amz-retry-after": String(milliseconds) };
}

/** A failure after the 200, as an exception frame. Streams know five names; every other failure is the model's. */
export function exceptionFrame(error: GatewayError): Buffer {
  const name = exceptionOf[error.code];
  const known = /^(InternalServer|ModelStreamError|Throttling|Validation|ServiceUnavailable)Exception$/.test(name);
  const type = known ? `${name.charAt(0).toLowerCase()}${name.slice(1)}` : "modelStreamErrorException";
  const headers = { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" };
  return encodeFrame(headers, JSON.stringify({ message: messageOf(error) }));
}
