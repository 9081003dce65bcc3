import { HttpError } from "@onbehalf/service-kit";
import { AuthorizationResponseError, ResponseBodyError } from "openid-client";

/** Seconds, for an outage whose end nobody knows. */
const usualRetryAfterSeconds = 5;

/** A login that did not come to its end. `title` and `message` are for the person, in words. */
export class LoginFailure extends Error {
  override readonly name = "LoginFailure";
  readonly status: 400 | 403 | 502 | 503;
  readonly code: string;
  readonly title: string;
  /** When it may succeed, where nothing but time is missing. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: LoginFailure["status"], code: string, title: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.title = title;
    this.retryAfterSeconds = status === 503 ? retryAfter(cause) : undefined;
  }

  /** Whose fault it was decides the status; the provider's own text goes to the log only. */
  static from(error: unknown, label: string): LoginFailure {
    if (error instanceof LoginFailure) return error;
    if (error instanceof HttpError) {
      return new LoginFailure(503, "provider_unavailable", "Sign-in is not possible right now", error.message, error);
    }
    if (error instanceof AuthorizationResponseError) return answered(error.error, label, error);
    if (error instanceof ResponseBodyError) return refused(error, label);
    if (isUnreachable(error)) {
      return new LoginFailure(
        503,
        "provider_unavailable",
        "Sign-in is not possible right now",
        `${label} did not answer. Wait a moment and sign in again.`,
        error,
      );
    }
    return new LoginFailure(
      400,
      "login_invalid",
      "This sign-in could not be verified",
      "The answer that came back does not belong to a sign-in started in this browser. Start again from here.",
      error,
    );
  }
}

function retryAfter(cause: unknown): number {
  const said = cause instanceof HttpError ? cause.retryAfterSeconds : undefined;
  return said ?? usualRetryAfterSeconds;
}

/** Errors of the authorization endpoint (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6). */
function answered(code: string, label: string, cause: unknown): LoginFailure {
  const words: Record<string, readonly [status: LoginFailure["status"], title: string, message: string]> = {
    access_denied: [
      403,
      "You were not let in",
      `${label} refused, or the sign-in was cancelled. If you should have access, ask your administrator to assign you to this application; else sign in as someone else.`,
    ],
    login_required: [400, "Please sign in again", `${label} wants you to sign in again.`],
    interaction_required: [
      400,
      "One more step is needed",
      `${label} wants something more from you. Sign in again and follow its pages.`,
    ],
    consent_required: [
      400,
      "Your consent is needed",
      `${label} needs your consent to go on. Sign in again and accept, or ask your administrator to.`,
    ],
    temporarily_unavailable: [
      503,
      "Sign-in is not possible right now",
      `${label} is busy. Wait a moment and sign in again.`,
    ],
    server_error: [
      503,
      "Sign-in is not possible right now",
      `${label} had a problem of its own. Wait a moment and sign in again.`,
    ],
    invalid_scope: [
      502,
      "This service is not set up right",
      `${label} does not know a scope this service asks for. Tell your administrator to compare the scopes.`,
    ],
    unauthorized_client: [
      502,
      "This service is not set up right",
      `${label} does not allow this application to sign people in. Tell your administrator.`,
    ],
  };
  const [status, title, message] = words[code] ?? [
    400,
    "The sign-in did not succeed",
    `${label} ended the sign-in with an error. Start again; if it happens twice, tell your administrator.`,
  ];
  return new LoginFailure(status, code in words ? code : "login_failed", title, message, cause);
}

/** Errors of the token endpoint (RFC 6749 section 5.2). */
function refused(error: ResponseBodyError, label: string): LoginFailure {
  if (error.status >= 500 || error.status === 429) return answered("temporarily_unavailable", label, error);
  if (error.error === "invalid_grant") {
    const message = "This sign-in was already used or took too long. Start again from here.";
    return new LoginFailure(400, "login_used", "This sign-in is no longer valid", message, error);
  }
  return answered("unauthorized_client", label, error);
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "OAUTH_TIMEOUT" || code === "OAUTH_ABORT" || code === "OAUTH_RESPONSE_IS_NOT_CONFORM";
}
