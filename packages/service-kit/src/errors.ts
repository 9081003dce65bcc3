import { AuthError, toWire } from "@onbehalf/shared-auth";
import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { ShuttingDown } from "./connection.ts";
import { HttpError } from "./http-error.ts";
import type { InterruptionSignal } from "./interruption.ts";
import type { Log } from "./log.ts";
import type { Note } from "./request.ts";

/** What the challenges of this service's refusals say about it (RFC 6750 section 3). */
export interface ErrorHandlerOptions {
  /** URL of the protected-resource metadata, for the challenge of a 401 (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string | undefined;
  readonly realm?: string | undefined;
}

/** An error in HTTP's terms. */
interface Answer {
  readonly status: ContentfulStatusCode;
  readonly error: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Name in the log, where it says more than what the caller is told. */
  readonly code?: string | undefined;
}

/**
 * Maps everything that is thrown to `{"error", "message", "request_id"}`. What nobody foresaw is a 500 that says
 * nothing about itself: its stack goes to the log.
 */
export function errorHandler(options: ErrorHandlerOptions = {}): ErrorHandler {
  return (error, c) => {
    const answer = answerTo(error, c, options);
    record(error, answer, c);
    return send(c, answer);
  };
}

/** The answer for a path that nothing serves. */
export function notFound(): NotFoundHandler {
  return (c) => {
    const note: Note | undefined = c.get("note");
    note?.({ error_code: "not_found" });
    return send(c, { status: 404, error: "not_found", message: "There is nothing at this address." });
  };
}

function answerTo(error: Error, c: Context, options: ErrorHandlerOptions): Answer {
  if (error instanceof AuthError)
    return { ...toWire(error, options), ...toWire(error, options).body, code: error.code };
  if (error instanceof HttpError) return fromHttpError(error, options);
  if (error instanceof z.core.$ZodError) return fromZod(error);
  if (error instanceof HTTPException && error.status < 500) return fromFramework(error.status);
  if (signalOf(c)?.aborted) return interrupted(c);
  return {
    status: 500,
    error: "internal_error",
    message: "Something went wrong here. Try again; if it stays, report the request_id.",
  };
}

function fromHttpError(thrown: HttpError, options: ErrorHandlerOptions): Answer {
  const { status, error, message, headers, retryAfterSeconds } = thrown;
  const retry =
    retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds))) };
  const challenge = status === 401 ? bareChallenge(options) : {};
  return { status, error, message, headers: { ...challenge, ...retry, ...headers } };
}

/** No 401 is without one (RFC 9110 section 15.5.2); it names no error, since no token was refused. */
function bareChallenge(options: ErrorHandlerOptions): Record<string, string> {
  return toWire(new AuthError("token_absent", ""), options).headers;
}

const shownIssues = 10;

/** Names fields and expectations; the values stay out, since nobody knows what was sent in them. */
function fromZod(error: z.core.$ZodError): Answer {
  const parts = error.issues
    .slice(0, shownIssues)
    .map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  return {
    status: 400,
    error: "invalid_request",
    message: `The request is not valid: ${parts.join("; ").slice(0, 1_000)}`,
  };
}

function fromFramework(status: ContentfulStatusCode): Answer {
  return { status, error: "invalid_request", message: "The request cannot be read as it is; check its form and body." };
}

function interrupted(c: Context): Answer {
  const shutdown = signalOf(c)?.reason instanceof ShuttingDown;
  return {
    status: 503,
    error: shutdown ? "shutting_down" : "client_gone",
    message: "The request was interrupted; send it again.",
    headers: { "retry-after": "1" },
  };
}

function record(error: Error, answer: Answer, c: Context): void {
  const note: Note | undefined = c.get("note");
  const log: Log | undefined = c.get("log");
  const reason = reasonOf(error);
  note?.({ error_code: answer.code ?? answer.error, ...(reason === undefined ? {} : { reason }) });
  if (answer.error === "internal_error") log?.error({ err: error }, "request failed");
}

/** The private reason, in one line. */
function reasonOf({ cause }: Error): string | undefined {
  if (cause === undefined) return undefined;
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return text.slice(0, 500);
}

function send(c: Context, { status, error, message, headers }: Answer): Response {
  const requestId: string | undefined = c.get("requestId");
  return c.json({ error, message, request_id: requestId }, status, headers);
}

function signalOf(c: Context): InterruptionSignal | undefined {
  return c.get("signal");
}
