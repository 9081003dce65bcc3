import { HttpError, type HttpErrorDetails } from "@onbehalf/service-kit";
import { AuthError, type ScopedToken } from "@onbehalf/shared-auth";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { LlmFailure, type LlmReply, type LlmTurn, type LlmWire } from "./llm/turn.ts";

/** A token for the gateway, and how it was come by: nothing to tell for a configured key. */
export interface GatewayAccess {
  readonly token: string;
  readonly exchanged: ScopedToken | undefined;
}

/** @param rejected the token that the gateway has just refused: not to be given again */
export type GatewayTokens = (signal: AbortSignal, rejected?: string) => Promise<GatewayAccess>;

/** One caller's way to the model. */
export type Llm = (turn: LlmTurn, signal: AbortSignal) => Promise<LlmReply>;

interface LlmOptions {
  readonly wire: LlmWire;
  readonly tokens: GatewayTokens;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sends turns to the gateway with the caller's own token. When the gateway answers 401 the cached token is dropped
 * and exchanged once more; a second 401 is the caller's.
 * @throws AuthError from the exchange; HttpError for what the gateway answered
 */
export function createLlm({ wire, tokens, headers }: LlmOptions): Llm {
  return async (turn, signal) => {
    const first = await tokens(signal);
    try {
      return await wire(turn, { token: first.token, headers, signal });
    } catch (error) {
      if (isRefusedToken(error) && first.exchanged === undefined) throw refusedKey(error);
      if (!isRefusedToken(error)) throw upwards(error);
    }
    const second = await tokens(signal, first.token);
    try {
      return await wire(turn, { token: second.token, headers, signal });
    } catch (error) {
      throw upwards(error);
    }
  };
}

/** Without a user's token it is this service's own key that was refused: nothing the caller could do about it. */
function refusedKey(cause: LlmFailure): HttpError {
  return new HttpError(502, "llm_misconfigured", "The language model's gateway does not accept this service's key.", {
    cause,
  });
}

/** A challenge that asks the user for something is not mended by another exchange of the same token. */
function isRefusedToken(error: unknown): error is LlmFailure {
  return error instanceof LlmFailure && error.status === 401 && !isStepUp(error);
}

function isStepUp({ challenge }: LlmFailure): boolean {
  return challenge !== undefined && /error="insufficient_(claims|user_authentication)"/.test(challenge);
}

/** What our caller is told: the status says whose turn it is, the words are the gateway's own where they are for him. */
function upwards(error: unknown): unknown {
  if (!(error instanceof LlmFailure)) return error;
  const retryAfter = error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds };
  const details: HttpErrorDetails = { cause: error.cause ?? error, ...retryAfter };
  switch (error.status) {
    case 401:
      return unauthorized(error);
    case 403:
      return new HttpError(403, "llm_access_denied", error.message, details);
    case 404:
      return new HttpError(
        502,
        "llm_misconfigured",
        "The language model's gateway does not know the configured model.",
        details,
      );
    case 413:
    case 429:
      return new HttpError(
        error.status,
        error.status === 429 ? "llm_limited" : "request_too_large",
        error.message,
        details,
      );
    case 400:
    case 422:
      return new HttpError(
        502,
        "llm_refused_request",
        "The language model's gateway did not accept the request.",
        details,
      );
    case 504:
      return new HttpError(504, "llm_timeout", "The language model took too long; ask again or ask for less.", details);
    default:
      return unavailable(error.status, details);
  }
}

function unauthorized(error: LlmFailure): Error {
  if (!isStepUp(error) || error.challenge === undefined) {
    const message = "The language model's gateway does not accept the token that was exchanged for you; sign in again.";
    return new AuthError("subject_rejected", message, { cause: error });
  }
  const headers = { "www-authenticate": error.challenge, "cache-control": "no-store" };
  return new HttpError(401, "step_up_required", error.message, { headers, cause: error });
}

function unavailable(status: number | undefined, details: HttpErrorDetails): HttpError {
  const retryAfterSeconds = details.retryAfterSeconds ?? 5;
  const code: ContentfulStatusCode = status === 502 ? 502 : 503;
  return new HttpError(
    code,
    "llm_unavailable",
    "The language model cannot be reached just now; try again in a moment.",
    {
      cause: details.cause,
      retryAfterSeconds,
    },
  );
}
