import type { IncomingMessage } from "node:http";
import { createDeadlines, type Deadlines } from "@onbehalf/service-kit";
import { GatewayError } from "../errors.ts";
import { gatherOnPages, type Pages } from "./pages.ts";

/** @throws GatewayError `request_too_large`, `request_timeout`, `unsupported`: at once, or by rejection */
type ReadBody = (incoming: IncomingMessage, maxBytes: number) => Promise<Uint8Array>;

/**
 * Reads bodies, each once and whole, off Node's own stream.
 * @param timeoutMs for a whole body to arrive
 */
export function createReadBody(timeoutMs: number): ReadBody {
  const deadlines = createDeadlines(timeoutMs);
  return (incoming, maxBytes) => {
    const encoding = incoming.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
      throw new GatewayError(
        "unsupported",
        `Bodies with content-encoding ${encoding.slice(0, 40)} are not read; send it plain.`,
      );
    }
    if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(incoming, maxBytes);
    // The client left while the stages before waited, and nothing tells of it again; HTTP/2 has thrown the body away.
    if (incoming.destroyed || incoming.readableEnded) throw brokenOff(incoming);
    return gather(incoming, maxBytes, deadlines, timeoutMs);
  };
}

/** Nearly every body is there in fewer: they are kept as they came. */
const fewChunks = 16;

function gather(
  incoming: IncomingMessage,
  maxBytes: number,
  deadlines: Deadlines,
  timeoutMs: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let pages: Pages | undefined;
    let size = 0;
    let over = false;
    const deadline = deadlines.begin(() => fail(tooSlow(timeoutMs)));
    const fail = (error: unknown): void => {
      if (over) return;
      over = true;
      deadlines.end(deadline);
      incoming.off("data", onData);
      incoming.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) fail(tooLarge(incoming, maxBytes));
      else if (chunks.length < fewChunks) chunks.push(chunk);
      else {
        pages ??= gatherOnPages(chunks);
        pages.add(chunk);
      }
    };
    // The listeners stay: taking four off costs more than they do, and what comes after the end finds it over.
    const onEnd = (): void => {
      if (over) return;
      over = true;
      deadlines.end(deadline);
      pages?.close();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size));
    };
    // Node tells of a broken connection by "close" in any case, and by "error" only where somebody listens for it.
    const onClose = (): void => {
      if (over) return;
      fail(brokenOff(incoming));
    };
    incoming.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}

function brokenOff({ errored }: IncomingMessage): GatewayError {
  const cause = errored ?? undefined;
  return new GatewayError("invalid_request", "The connection closed before the body was complete.", { cause });
}

/** The rest is not read: the connection ends with the answer, so that nothing more is held. */
function tooLarge(incoming: IncomingMessage, maxBytes: number): GatewayError {
  incoming.pause();
  return new GatewayError("request_too_large", `The body is larger than ${maxBytes} bytes; send less.`, {
    headers: { connection: "close" },
  });
}

function tooSlow(timeoutMs: number): GatewayError {
  return new GatewayError("request_timeout", `The body did not arrive within ${timeoutMs / 1000} s; send it again.`, {
    headers: { connection: "close" },
  });
}
