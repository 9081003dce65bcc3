import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** For the whole body to arrive. */
  readonly timeoutMs: number;
}

/**
 * The request's body, once and whole, off Node's own stream.
 * @throws GatewayError `request_too_large`, `request_timeout`, `unsupported`
 */
export async function readBody(incoming: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = incoming.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new GatewayError(
      "unsupported",
      `Bodies with content-encoding ${encoding.slice(0, 40)} are not read; send it plain.`,
    );
  }
  if (Number(incoming.headers["content-length"] ?? 0) > limits.maxBytes) throw tooLarge(incoming, limits);
  return await gather(incoming, limits);
}

function gather(incoming: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    const timer = setTimeout(() => fail(tooSlow(limits)), limits.timeoutMs);
    const fail = (error: unknown): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      incoming.off("data", onData);
      incoming.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.maxBytes) fail(tooLarge(incoming, limits));
      else chunks.push(chunk);
    };
    // The listeners stay: taking four off costs more than they do, and what comes after the end finds it over.
    const onEnd = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size));
    };
    const onBroken = (cause?: unknown): void =>
      fail(new GatewayError("invalid_request", "The connection closed before the body was complete.", { cause }));
    const onClose = (): void => {
      if (!over) onBroken();
    };
    incoming.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onClose);
  });
}

/** The rest is not read: the connection ends with the answer, so that nothing more is held. */
function tooLarge(incoming: IncomingMessage, { maxBytes }: BodyLimits): GatewayError {
  incoming.pause();
  return new GatewayError("request_too_large", `The body is larger than ${maxBytes} bytes; send less.`, {
    headers: { connection: "close" },
  });
}

function tooSlow({ timeoutMs }: BodyLimits): GatewayError {
  return new GatewayError("request_timeout", `The body did not arrive within ${timeoutMs / 1000} s; send it again.`, {
    headers: { connection: "close" },
  });
}
