import { isObject } from "../dialects/body.ts";
import { GatewayError, type GatewayErrorCode } from "../errors.ts";
import type { UpstreamHeaders } from "./exchange.ts";
import { retryAfterSeconds } from "./retry-after.ts";

const byStatus: Readonly<Record<number, GatewayErrorCode>> = {
  400: "upstream_invalid_request",
  401: "upstream_denied",
  402: "upstream_denied",
  403: "upstream_denied",
  404: "upstream_denied",
  408: "upstream_timeout",
  409: "upstream_unavailable",
  413: "request_too_large",
  422: "upstream_invalid_request",
  429: "upstream_throttled",
  504: "upstream_timeout",
};

const said: Readonly<Partial<Record<GatewayErrorCode, string>>> = {
  upstream_denied: "The gateway may not use this model at its provider. Tell the gateway's operator.",
  upstream_throttled: "The model provider is limiting requests. Try again later.",
  upstream_timeout: "The model did not answer in time. Try again, or ask for less.",
  upstream_unavailable: "The model provider is not available at the moment. Try again.",
  request_too_large: "The request is larger than the model provider takes.",
  upstream_failed: "The model provider failed while answering. Try again.",
};

/** A refused or failed call of an OpenAI- or Anthropic-compatible upstream. */
export function httpError(status: number, headers: UpstreamHeaders, body: Buffer): GatewayError {
  const code = byStatus[status] ?? (status >= 500 ? "upstream_unavailable" : "upstream_failed");
  const retry = retryAfterSeconds(headers["retry-after"]);
  return failure(code, `HTTP ${status}`, body.toString("utf8"), retry);
}

/** An error event in a stream, or a body of one: `{"error":{"type","message"}}`. */
export function eventError(data: string): GatewayError {
  const type = /"type"\s*:\s*"(overloaded_error|rate_limit_error|timeout_error)"/.exec(data)?.[1];
  const code =
    type === "rate_limit_error"
      ? "upstream_throttled"
      : type === "timeout_error"
        ? "upstream_timeout"
        : "upstream_failed";
  return failure(type === "overloaded_error" ? "upstream_unavailable" : code, "error event", data, undefined);
}

function failure(code: GatewayErrorCode, what: string, body: string, retry: number | undefined): GatewayError {
  const { message, param } = errorIn(body);
  const details = { cause: `${what}: ${message ?? ""}`, ...(retry === undefined ? {} : { retryAfterSeconds: retry }) };
  if (code !== "upstream_invalid_request")
    return new GatewayError(code, said[code] ?? "The model provider refused the request.", details);
  return new GatewayError(code, message ?? "The model provider refused the request.", {
    ...details,
    ...(param === undefined ? {} : { param }),
  });
}

function errorIn(body: string): { message?: string; param?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) ? (parsed.error ?? parsed) : undefined;
    if (typeof error === "string") return { message: error.slice(0, 2000) };
    if (!isObject(error) || typeof error.message !== "string") return {};
    return {
      message: error.message.slice(0, 2000),
      ...(typeof error.param === "string" ? { param: error.param } : {}),
    };
  } catch {
    return {};
  }
}
