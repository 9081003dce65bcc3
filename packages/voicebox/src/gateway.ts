import { HttpError } from "@onbehalf/service-kit";
import { type Dispatcher, request } from "undici";
import { rootOf } from "./llm/transport.ts";

/** Reads from the gateway what is not a language model's business. */
export interface GatewayReader {
  /**
   * The parsed answer with its status; undefined body when it was not JSON.
   * @throws HttpError 503 when there is no answer
   */
  get(path: string, call: GatewayCall): Promise<{ readonly status: number; readonly body: unknown }>;
}

interface GatewayCall {
  /** Undefined for what the gateway tells everybody. */
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const maxBytes = 2_000_000;
const timeoutMs = 5_000;

/** @param serverUrl the language model's base URL; administration lives at the origin, or below a path before `/v1` */
export function createGatewayReader(serverUrl: string, dispatcher: Dispatcher): GatewayReader {
  const root = rootOf(serverUrl);
  return {
    async get(path, { token, headers, signal }) {
      try {
        const { statusCode, body } = await request(`${root}${path}`, {
          dispatcher,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
          headers: {
            ...headers,
            accept: "application/json",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
        });
        return { status: statusCode, body: await jsonOf(body) };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const message = "The gateway cannot be reached just now; try again in a moment.";
        throw new HttpError(503, "gateway_unavailable", message, { cause: error, retryAfterSeconds: 5 });
      }
    },
  };
}

async function jsonOf(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}
