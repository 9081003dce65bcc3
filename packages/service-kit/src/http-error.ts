import type { ContentfulStatusCode } from "hono/utils/http-status";

/** What a refusal carries besides status, code and message. */
export interface HttpErrorDetails {
  /** The private reason: goes to the log, never to the wire. */
  readonly cause?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whole seconds after which trying again may help (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds?: number | undefined;
}

/** An answer that is not the one asked for. `message` is fit for the caller: what was wrong and what to do next. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: ContentfulStatusCode;
  /** A snake_case code, or OAuth's. */
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: ContentfulStatusCode, error: string, message: string, details: HttpErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = status;
    this.error = error;
    this.headers = details.headers ?? {};
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}
