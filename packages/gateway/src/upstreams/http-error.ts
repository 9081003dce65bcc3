import { mask } from "@onbehalf/service-kit";
import { isObject, type JsonObject } from "../dialects/body.ts";
import { GatewayError, type GatewayErrorCode } from "../errors.ts";
import type { UpstreamHeaders } from "./exchange.ts";
import { retryAfter } from "./retry-after.ts";
import { toldLength } from "./too-long.ts";

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

/** Anthropic's and OpenAI's words, where no status tells. */
const byType: Readonly<Record<string, GatewayErrorCode>> = {
  overloaded_error: "upstream_unavailable",
  rate_limit_error: "upstream_throttled",
  rate_limit_exceeded: "upstream_throttled",
  insufficient_quota: "upstream_throttled",
  timeout_error: "upstream_timeout",
  invalid_request_error: "upstream_invalid_request",
  content_filter: "upstream_invalid_request",
  content_policy_violation: "upstream_invalid_request",
  authentication_error: "upstream_denied",
  permission_error: "upstream_denied",
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
  if (status < 400) return elsewhere(status, headers.location);
  const code = codeOfStatus(status) ?? "upstream_failed";
  return failure(code, `HTTP ${status}`, body.toString("utf8"), retryAfter(headers));
}

/** An error event in a stream, or a body of one: `{"error":{"type","message"}}`. */
export function eventError(data: string): GatewayError {
  const error = errorIn(parsed(data));
  const { type, code, status } = isObject(error) ? error : {};
  const named = byType[String(type)] ?? byType[String(code)];
  const numbered = codeOfStatus(Number(code)) ?? codeOfStatus(Number(status));
  return failure(named ?? numbered ?? "upstream_failed", "error event", data, undefined);
}

/** What an upstream that answered 200 says in its body instead of an answer; undefined when it says no error. */
export function bodyError(body: string): GatewayError | undefined {
  const whole = parsed(body);
  return isObject(whole) && whole.error != null ? eventError(body) : undefined;
}

function codeOfStatus(status: number): GatewayErrorCode | undefined {
  return byStatus[status] ?? (status >= 500 ? "upstream_unavailable" : undefined);
}

/** A credential goes where the configuration says and nowhere else; the next attempt would be sent away, too. */
function elsewhere(status: number, location: string | string[] | undefined): GatewayError {
  return new GatewayError("upstream_denied", "The model is not where the gateway looks for it. Tell its operator.", {
    cause: `HTTP ${status} to ${String(location).slice(0, 200)}: redirects are not followed; correct api_base`,
  });
}

/** Ollama says 500 to an answer's schema that its grammar has no words for, and would say it again. */
const requestsFault = /^invalid JSON schema in format$|^invalid format: /;

function failure(meant: GatewayErrorCode, what: string, body: string, retry: number | undefined): GatewayError {
  const error = errorIn(parsed(body));
  const message = messageOf(error);
  const kind = message !== undefined && requestsFault.test(message) ? "upstream_invalid_request" : meant;
  // What is not JSON comes from something in between: its first words tell the operator from what.
  const cause = `${what}: ${message ?? body.slice(0, 200).replace(/\s+/g, " ")}`;
  const details = { cause, ...(retry === undefined ? {} : { retryAfterSeconds: retry }) };
  if (kind !== "upstream_invalid_request")
    return new GatewayError(kind, said[kind] ?? "The model provider refused the request.", details);
  const { code, param } = isObject(error) ? error : {};
  const told = filters.has(code) ? "content_filtered" : toldLength(kind, message, String(code));
  return new GatewayError(told, message ?? "The model provider refused the request.", {
    ...details,
    ...(typeof param === "string" ? { param: mask(param.slice(0, maxParam)) } : {}),
    ...(told === kind && isPlain(code) ? { providerCode: code } : {}),
  });
}

/** OpenAI's and Azure's words for content that they do not answer. */
const filters: ReadonlySet<unknown> = new Set(["content_filter", "content_policy_violation"]);

/** Whether a code is one of plain words, such as `invalid_image_format`, of which no key is made, and about the request. */
function isPlain(code: unknown): code is string {
  return typeof code === "string" && plainWords.test(code) && !ours.has(code);
}

const plainWords = /^(?=.{1,64}$)[a-z]+\d{0,3}(?:_[a-z]+\d{0,3})+$/;

/** What is wrong with the gateway's own account; a client would look for it in his. */
const ours: ReadonlySet<string> = new Set([
  "invalid_api_key",
  "model_not_found",
  "insufficient_quota",
  "rate_limit_exceeded",
]);

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Below `error`, or the body itself; FastAPI's servers say `detail`. */
function errorIn(body: unknown): unknown {
  return isObject(body) ? (body.error ?? body.detail ?? body) : undefined;
}

/** Some repeat the key they were asked with, and it is the gateway's. */
function messageOf(error: unknown): string | undefined {
  const words = Array.isArray(error) ? validation(error) : isObject(error) ? error.message : error;
  return typeof words === "string" ? mask(words.slice(0, maxMessage)) : undefined;
}

const maxMessage = 2000;
const maxParam = 200;

/** FastAPI's list of what is wrong, each with its place. */
function validation(problems: readonly unknown[]): string {
  const words = ({ loc, msg }: JsonObject): string => `${Array.isArray(loc) ? loc.join(".") : "body"}: ${String(msg)}`;
  return problems.filter(isObject).map(words).join("; ");
}
