import { isObject } from "../../dialects/body.ts";
import { GatewayError, type GatewayErrorCode } from "../../errors.ts";
import type { UpstreamHeaders } from "../exchange.ts";
import { retryAfter } from "../retry-after.ts";
import { toldLength } from "../too-long.ts";

/** Bedrock's exceptions by name, whether they came as a status or in a stream. */
const codeOf: Readonly<Record<string, GatewayErrorCode>> = {
  ValidationException: "upstream_invalid_request",
  ServiceQuotaExceededException: "upstream_throttled",
  ConflictException: "upstream_invalid_request",
  AccessDeniedException: "upstream_denied",
  UnrecognizedClientException: "upstream_denied",
  InvalidSignatureException: "upstream_denied",
  ExpiredTokenException: "upstream_denied",
  ResourceNotFoundException: "upstream_denied",
  ModelTimeoutException: "upstream_timeout",
  ModelErrorException: "upstream_failed",
  ModelStreamErrorException: "upstream_failed",
  ThrottlingException: "upstream_throttled",
  ModelNotReadyException: "upstream_unavailable",
  InternalServerException: "upstream_unavailable",
  ServiceUnavailableException: "upstream_unavailable",
};

const byStatus: Readonly<Record<number, GatewayErrorCode>> = {
  400: "upstream_invalid_request",
  403: "upstream_denied",
  404: "upstream_denied",
  408: "upstream_timeout",
  413: "request_too_large",
  424: "upstream_failed",
  429: "upstream_throttled",
  503: "upstream_unavailable",
};

/** What the client may read of each; a refusal of our own credentials is our matter and says nothing of AWS. */
const said: Readonly<Partial<Record<GatewayErrorCode, string>>> = {
  upstream_throttled: "The model provider is limiting requests. Try again later.",
  upstream_denied: "The gateway may not use this model at its provider. Tell the gateway's operator.",
  upstream_timeout: "The model did not answer in time. Try again, or ask for less.",
  upstream_unavailable: "The model provider is not available at the moment. Try again.",
  upstream_failed: "The model provider failed while answering. Try again.",
};

/** A refused or failed call before any answer. */
export function bedrockError(status: number, headers: UpstreamHeaders, body: Buffer): GatewayError {
  const name = exceptionIn(headers);
  const code = codeOf[name] ?? byStatus[status] ?? (status >= 500 ? "upstream_unavailable" : "upstream_failed");
  const retry = retryAfter(headers);
  return describe(code, name === "" ? `HTTP ${status}` : name, body.toString("utf8"), retry);
}

function exceptionIn(headers: UpstreamHeaders): string {
  const header = headers["x-amzn-errortype"];
  return (typeof header === "string" ? header : "").split(":")[0] ?? "";
}

/** Whether credentials were refused that were good once. */
export function isSpent(headers: UpstreamHeaders): boolean {
  const name = exceptionIn(headers);
  return name === "ExpiredTokenException" || name === "UnrecognizedClientException";
}

/** Others are fetched, so the same call may well succeed. */
export function spent(headers: UpstreamHeaders): GatewayError {
  const cause = `${exceptionIn(headers)}: the credentials are fetched anew`;
  return new GatewayError("upstream_unavailable", "The model provider is not available at the moment. Try again.", {
    cause,
  });
}

/** An exception frame after the 200. Its name starts in lower case there. */
export function streamError(type: string, body: string): GatewayError {
  const name = type.charAt(0).toUpperCase() + type.slice(1);
  return describe(codeOf[name] ?? "upstream_failed", name, body, undefined);
}

function describe(kind: GatewayErrorCode, name: string, body: string, retry: number | undefined): GatewayError {
  const message = messageIn(body);
  const code = toldLength(kind, message);
  const details = { cause: `${name}: ${message ?? ""}`, ...(retry === undefined ? {} : { retryAfterSeconds: retry }) };
  // A validation message is about the caller's own request, and is what he needs to mend it.
  if (kind === "upstream_invalid_request")
    return new GatewayError(code, message ?? "The model provider refused the request.", details);
  return new GatewayError(code, said[code] ?? "The model provider refused the request.", details);
}

function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const message = isObject(parsed) ? (parsed.message ?? parsed.Message) : undefined;
    return typeof message === "string" && message !== "" ? message.slice(0, 2000) : undefined;
  } catch {
    return undefined;
  }
}
