import { ClientError, ResponseBodyError } from "openid-client";
import { isRecord } from "../compact.ts";
import { AuthError, type AuthErrorCode } from "../errors.ts";

/** Seconds that are said when the server does not say how long. */
const DEFAULT_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 300;

/**
 * Whose fault a failed exchange is (RFC 6749 section 5.2, RFC 8693 section 2.2.2). The server's own words go into the
 * cause, for our log; the caller gets ours.
 */
export function exchangeFault(error: unknown, badSubject?: RegExp): AuthError {
  if (error instanceof AuthError) return error;
  if (error instanceof ClientError && error.cause instanceof AuthError) return error.cause;
  if (error instanceof ResponseBodyError) return refusal(error, badSubject);
  if (error instanceof ClientError && error.code !== "OAUTH_TIMEOUT" && error.code !== undefined)
    return answerInvalid(error);
  return unavailable(error);
}

/** The server answered that it cannot now: the one failure that is worth another try. */
export class BusyError extends Error {
  readonly retryAfterSeconds: number | undefined;
  constructor(status: number, retryAfterSeconds: number | undefined) {
    super(`The token endpoint answered ${status}.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server is busy, slow or out of reach: nobody's fault who is here, and worth another try later. */
export function unavailable(cause: unknown, retryAfterSeconds: number = DEFAULT_RETRY_SECONDS): AuthError {
  return new AuthError("exchange_unavailable", "The authorization server cannot be reached now; try again soon.", {
    cause,
    retryAfterSeconds,
  });
}

/** The server said yes, but not to what was asked. */
export function answerInvalid(cause: unknown): AuthError {
  return new AuthError("exchange_answer_invalid", "The authorization server gave an answer that cannot be used.", {
    cause,
  });
}

/** `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), within reason; undefined when there is none. */
export function retryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - nowMs) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS) : undefined;
}

function refusal(cause: ResponseBodyError, badSubject: RegExp | undefined): AuthError {
  const said = `${cause.error} ${cause.error_description ?? ""}`;
  const code = badSubject?.test(said) ? "subject_rejected" : codeOf(cause.error);
  if (code === "subject_rejected") {
    return new AuthError(code, "The authorization server does not accept your token; sign in again.", { cause });
  }
  if (code === "step_up_required") {
    const body: unknown = cause.cause;
    const claims = isRecord(body) && typeof body.claims === "string" ? body.claims : undefined;
    return new AuthError(code, "The authorization server asks you to sign in again, with more proof.", {
      cause,
      claims,
    });
  }
  if (code === "exchange_unavailable") return unavailable(cause);
  const message = "The authorization server refuses this service; its operator must look at the log.";
  return new AuthError(code, message, { cause });
}

function codeOf(name: string): AuthErrorCode {
  switch (name) {
    case "invalid_grant":
    case "invalid_token":
      return "subject_rejected";
    case "interaction_required":
    case "login_required":
    case "consent_required":
    case "insufficient_user_authentication":
      return "step_up_required";
    case "temporarily_unavailable":
    case "server_error":
      return "exchange_unavailable";
    default:
      return "exchange_refused";
  }
}
