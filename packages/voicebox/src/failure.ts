import { HttpError, ShuttingDown } from "@onbehalf/service-kit";
import { AuthError, toWire } from "@onbehalf/shared-auth";
import { GraphError } from "./graph/graph.ts";
import type { Snapshot } from "./stream.ts";

/** What went wrong below, in HTTP's terms; what is no error of ours stays as it is. */
export function asHttp(error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof GraphError)) return error;
  switch (error.code) {
    case "cancelled":
      return signal.aborted ? signal.reason : error;
    case "unavailable":
      return new HttpError(503, "database_unavailable", error.message, { cause: error.cause, retryAfterSeconds: 5 });
    case "unknown_database":
      return new HttpError(404, "database_unknown", error.message, { cause: error.cause });
    case "denied":
      return new HttpError(502, "database_denied", error.message, { cause: error.cause });
    case "refused":
    case "invalid":
    case "too_slow":
    case "too_large":
      return new HttpError(502, "database_failed", `The database could not be read: ${error.message}`, {
        cause: error.cause,
      });
    default:
      return unknownCode(error.code);
  }
}

function unknownCode(code: never): never {
  throw new TypeError(`GraphError has no code ${JSON.stringify(code)}.`);
}

/** The error of a stream's last line: its status line has long been sent. */
export function asLastWord(error: unknown, requestId: string): NonNullable<Snapshot["error"]> {
  const said = { request_id: requestId };
  if (error instanceof AuthError) {
    const { status, body } = toWire(error);
    return { ...body, status, ...said };
  }
  if (error instanceof HttpError) return { error: error.error, message: error.message, status: error.status, ...said };
  if (error instanceof ShuttingDown) {
    const message = "The answer was cut short: the service is being restarted. Ask again.";
    return { error: "shutting_down", message, status: 503, ...said };
  }
  const message = "Something went wrong here. Try again; if it stays, report the request_id.";
  return { error: "internal_error", message, status: 500, ...said };
}

/** The code under which a failure is recorded. */
export function codeOf(error: unknown): string | null {
  if (error === undefined) return null;
  if (error instanceof AuthError) return error.code;
  if (error instanceof HttpError) return error.error;
  return error instanceof ShuttingDown ? "shutting_down" : "internal_error";
}
