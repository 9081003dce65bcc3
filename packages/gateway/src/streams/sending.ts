import type { ServerResponse } from "node:http";
import { answerHeaders } from "@onbehalf/service-kit";
import type { ForwardContext } from "../call.ts";
import type { WholeAnswer } from "../upstreams/exchange.ts";

/** The client's side of one attempt. */
export interface Sending {
  /** `performance.now()` when the first byte was written. */
  firstByteAt(): number | undefined;
  /** A slow client has not taken what was written yet. */
  isWaiting(): boolean;
  /** Writes part of a stream, its head before the first part. */
  send(bytes: string | Buffer, headers: Readonly<Record<string, string>>): void;
  /** Writes a whole answer and ends it. */
  sendWhole(answer: WholeAnswer): void;
  /** The client is gone: nothing waits for him any more. */
  abandon(): void;
  release(): void;
}

/**
 * Writes to Node's own answer, and holds the upstream back while the client takes nothing. Methods and no accessors:
 * a literal with accessors gets a hidden class of its own, which is old at birth and keeps the whole request in memory
 * until the next full collection.
 */
export function createSending(context: ForwardContext, flow: { pause(): void; resume(): void }): Sending {
  const { outgoing } = context;
  let firstByteAt: number | undefined;
  let waiting = false;
  const resume = (): void => {
    waiting = false;
    flow.resume();
  };
  const begin = (headers: Readonly<Record<string, string | number>>): void => {
    firstByteAt = performance.now();
    outgoing.writeHead(200, { ...answerHeaders(outgoing), ...context.headers, ...headers });
  };
  return {
    firstByteAt: () => firstByteAt,
    isWaiting: () => waiting,
    send(bytes, headers) {
      if (bytes.length === 0) return;
      if (firstByteAt === undefined) begin(headers);
      if (write(outgoing, bytes) || waiting) return;
      waiting = true;
      flow.pause();
      outgoing.once("drain", resume);
    },
    sendWhole({ body, headers, contentType = "application/json" }) {
      const length = Buffer.byteLength(body);
      begin({ ...headers, "content-type": contentType, "content-length": length });
      if (typeof body === "string" && length === body.length) outgoing.end(body, "latin1");
      else outgoing.end(body);
    },
    abandon() {
      outgoing.removeListener("drain", resume);
      if (waiting) resume();
    },
    release: () => void outgoing.removeListener("drain", resume),
  };
}

/** Text of ASCII alone needs no encoding: it is written as it lies in memory. */
function write(outgoing: ServerResponse, bytes: string | Buffer): boolean {
  const isAscii = typeof bytes === "string" && Buffer.byteLength(bytes) === bytes.length;
  return isAscii ? outgoing.write(bytes, "latin1") : outgoing.write(bytes);
}
