import { LlmFailure } from "./turn.ts";

/** What the official clients' errors have in common. */
interface AnsweredError {
  readonly status?: number | undefined;
  readonly headers?: { get(name: string): string | null } | undefined;
  /** The parsed error envelope. */
  readonly error?: unknown;
}

/**
 * What a client threw, as our own failure. A question that was given up stays what its signal says.
 * @param isAnswer whether the error is the client's own kind, with a status and the gateway's envelope
 */
export function failureOf(
  error: unknown,
  signal: AbortSignal,
  isAnswer: (error: unknown) => error is AnsweredError,
): Error {
  // First of all: the clients end a stream quietly when it is given up, and that looks like a broken answer.
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error("aborted");
  if (error instanceof LlmFailure) return error;
  if (!isAnswer(error)) return new LlmFailure("The language model could not be reached.", { cause: error });
  return new LlmFailure(wordsIn(error.error), {
    status: error.status,
    retryAfterSeconds: secondsOf(error.headers?.get("retry-after")),
    challenge: error.headers?.get("www-authenticate") ?? undefined,
    cause: error,
  });
}

/** The message of an envelope, wherever its dialect keeps it. */
function wordsIn(envelope: unknown): string {
  for (const place of [member(envelope, "error"), envelope]) {
    const message = member(place, "message");
    if (typeof message === "string") return message;
  }
  return "The language model gave no usable answer.";
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whole seconds; a date, which HTTP allows too, is not worth reading. */
export function secondsOf(header: string | null | undefined): number | undefined {
  return header === null || header === undefined || !/^\d+$/.test(header) ? undefined : Number(header);
}
