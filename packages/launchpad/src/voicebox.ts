import { HttpError } from "@onbehalf/service-kit";
import { Agent, fetch, type Response } from "undici";

/** What travels with every call to Voicebox. */
export interface VoiceboxCall {
  /** Good for Voicebox only; made by the exchange for this user. */
  readonly token: string;
  readonly traceparent: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** HTTP to Voicebox. Answers of every status are given back; what cannot be reached is 503, what is late 504. */
export interface Voicebox {
  send(method: "GET" | "POST" | "DELETE", path: string, body: unknown, call: VoiceboxCall): Promise<Response>;
  /** Rejects when Voicebox does not say that it is alive. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const maxConnections = 512;
const pingMs = 2000;

/** @param endpoint base URL, without a slash at its end */
export function createVoicebox({ endpoint, timeoutSeconds }: { endpoint: string; timeoutSeconds: number }): Voicebox {
  const timeout = timeoutSeconds * 1000;
  const agent = new Agent({ connections: maxConnections, headersTimeout: timeout, bodyTimeout: timeout });

  async function reach(path: string, init: Parameters<typeof fetch>[1]): Promise<Response> {
    try {
      return await fetch(`${endpoint}${path}`, { ...init, dispatcher: agent, redirect: "error" });
    } catch (error) {
      if (init?.signal?.aborted === true) throw init.signal.reason;
      throw unreachable(error);
    }
  }

  return {
    send(method, path, body, { token, traceparent, requestId, signal }) {
      return reach(path, {
        method,
        signal,
        body: body === undefined ? null : JSON.stringify(body),
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json, application/x-ndjson",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          traceparent,
          "x-request-id": requestId,
        },
      });
    },
    async ping() {
      const answer = await reach("/system/health", { signal: AbortSignal.timeout(pingMs) });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`Voicebox answers ${answer.status} at ${endpoint}/system/health`);
    },
    close: () => agent.close(),
  };
}

function unreachable(error: unknown): HttpError {
  const code = error instanceof Error && error.cause instanceof Error && "code" in error.cause ? error.cause.code : "";
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    const message = "Voicebox took too long to answer. Ask again, or ask something simpler.";
    return new HttpError(504, "voicebox_timeout", message, { cause: error });
  }
  const message = "Voicebox cannot be reached at the moment. Your question was not asked; try again in a few seconds.";
  return new HttpError(503, "voicebox_unavailable", message, { cause: error, retryAfterSeconds: 5 });
}
