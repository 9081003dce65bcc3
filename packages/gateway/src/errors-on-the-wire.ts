import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { errorHandler, HttpError } from "@onbehalf/service-kit";
import { AuthError, type AuthErrorCode, toWire, type WireError } from "@onbehalf/shared-auth";
import type { ErrorHandler } from "hono";
import { z } from "zod";
import type { Dialect, DialectName } from "./call.ts";
import { GatewayError, type GatewayErrorCode } from "./errors.ts";
import { meantRoute, type Route } from "./routes.ts";
import type { StageContext, StageEnv } from "./stages.ts";

interface WireErrorOptions {
  readonly dialects: Readonly<Partial<Record<DialectName, Dialect>>>;
  /** URL of this resource's metadata (RFC 9728). */
  readonly resourceMetadata: () => string;
}

/** Whatever a stage threw, in the envelope the client understands: the dialect's own on LLM routes, else the common one. */
export function answerErrors({ dialects, resourceMetadata }: WireErrorOptions): ErrorHandler<StageEnv> {
  return (error, c) => {
    const draft = c.env.draft;
    if (draft !== undefined) draft.errorCode = codeOf(error);
    if (c.env.outgoing.headersSent) return RESPONSE_ALREADY_SENT;
    const dialect = dialectOf(c, dialects);
    if (dialect === undefined) {
      const common = errorHandler({ resourceMetadata: resourceMetadata() });
      return common(error instanceof GatewayError ? plain(error) : error, c as never);
    }
    const known = asGatewayError(error, resourceMetadata());
    if (known.code === "internal") c.get("log").error({ err: error }, "request failed");
    else if (known.cause !== undefined) c.get("note")({ reason: reasonOf(known.cause) });
    const requestId = c.get("requestId");
    const answer = dialect.error(known, requestId);
    const headers = { "request-id": requestId, ...whenToRetry(answer.status), ...answer.headers };
    return c.body(
      answer.body,
      answer.status as 400,
      c.env.incoming.httpVersionMajor === 2 ? withoutConnection(headers) : headers,
    );
  };
}

function dialectOf(c: StageContext, dialects: WireErrorOptions["dialects"]): Dialect | undefined {
  const route = identified(c);
  if (route === undefined) {
    const spoken = spokenAt(c);
    return spoken === undefined ? undefined : dialects[spoken];
  }
  if (route.kind === "models") return dialects[listDialect(c, route.path)];
  return route.dialect === undefined ? undefined : dialects[route.dialect];
}

/** Undefined while a request has come no further than its address. */
function identified(c: StageContext): Route | undefined {
  return c.env.route;
}

/** Clients that call what does not exist are told in their own words, too: others they show as nothing but a number. */
export function spokenAt(c: StageContext): DialectName | undefined {
  const { path } = c.req;
  if (path.startsWith("/anthropic/")) return "anthropic";
  const meant = meantRoute(c.req.method, path);
  if (meant !== undefined) return meant.dialect;
  if (bedrockPath.test(path) || /^\/(?:openai\/)?v1\//.test(path)) return listDialect(c, path);
  return undefined;
}

/** Only Bedrock's clients call these: they are told in their own words, too, that an address is malformed. */
const bedrockPath = /^\/(?:model\/[^/]+\/[^/]|inference-profiles(?:\/|$))/;

/** Lists of models are asked for by the same clients as the models themselves. */
function listDialect(c: StageContext, path: string): DialectName {
  if (bedrockPath.test(path)) return "bedrock";
  return c.req.header("anthropic-version") === undefined ? "openai-chat" : "anthropic";
}

function asGatewayError(error: Error, resourceMetadata: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof AuthError) return fromAuth(error, toWire(error, { resourceMetadata }));
  return new GatewayError("internal", "Something went wrong here. Try again; if it stays, report the request id.", {
    cause: error,
  });
}

const byStatus: Readonly<Record<WireError["status"], GatewayErrorCode>> = {
  400: "invalid_request",
  401: "unauthenticated",
  403: "forbidden",
  502: "internal",
  503: "auth_unavailable",
};

function fromAuth(error: AuthError, { status, headers }: WireError): GatewayError {
  const retry = headers["retry-after"];
  return new GatewayError(byStatus[status], error.message, {
    cause: error.cause,
    headers,
    ...(lasting.has(error.code) ? { shouldRetry: false } : {}),
    ...(retry === undefined ? {} : { retryAfterSeconds: Number(retry) }),
  });
}

/**
 * A token from the same source will be refused like this one. Not among them is what another may cure: some clients fetch
 * a new one when they are refused and ask again.
 */
const lasting: ReadonlySet<AuthErrorCode> = new Set<AuthErrorCode>([
  "token_absent",
  "request_ambiguous",
  "token_malformed",
  "token_type_unaccepted",
  "algorithm_unaccepted",
  "signature_invalid",
  "issuer_untrusted",
  "audience_mismatch",
  "claim_invalid",
  "token_sender_constrained",
]);

/** What may pass soon; 529 is how Anthropic says it. */
const passing: ReadonlySet<number> = new Set([429, 503, 529]);

/** Nobody said when: soon enough to go on, late enough not to hammer. */
function whenToRetry(status: number): Record<string, string> {
  return passing.has(status) ? { "retry-after": "1" } : {};
}

/** HTTP/2 has no such header (RFC 9113 section 8.2.2): streams end one by one. */
function withoutConnection({ connection: _, ...headers }: Readonly<Record<string, string>>): Record<string, string> {
  return headers;
}

/** For the routes that are nobody's dialect. */
function plain(error: GatewayError): HttpError {
  const { retryAfterSeconds, shouldRetry } = error;
  const headers =
    shouldRetry === undefined ? error.headers : { ...error.headers, "x-should-retry": String(shouldRetry) };
  return new HttpError(error.status as 400, error.code, error.message, {
    cause: error.cause,
    headers,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** The most telling name there is, for the record. */
function codeOf(error: Error): string {
  if (error instanceof AuthError || error instanceof GatewayError) return error.code;
  if (error instanceof z.core.$ZodError) return "invalid_request";
  return error instanceof HttpError ? error.error : "internal";
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).slice(0, 500);
}
