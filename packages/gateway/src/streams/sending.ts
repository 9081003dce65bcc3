import type { ServerResponse } from "node:http";
import { constants, type Http2ServerResponse } from "node:http2";
import { answerHeaders } from "@onbehalf/service-kit";
import type { ForwardContext } from "../call.ts";
import type { WholeAnswer } from "../upstreams/exchange.ts";

/** What is held back while the client takes nothing. */
interface Flow {
  pause(): void;
  resume(): void;
}

/**
 * The client's side of one attempt: writes to Node's own answer, and holds the upstream back while the client takes
 * nothing. A class and no accessors: functions made for each request cost more than the writing, and a literal with
 * accessors gets a hidden class of its own, which is old at birth and keeps the whole request in memory until the next
 * full collection.
 */
export class Sending {
  readonly #context: Pick<ForwardContext, "outgoing" | "headers">;
  readonly #flow: Flow;
  readonly #unreadMs: number;
  #firstByteAt: number | undefined = undefined;
  /** Waits for the client to take what was written. */
  #onDrain: (() => void) | undefined = undefined;

  /** @param unreadMs after its end, how long a client may take nothing of the rest of an answer */
  constructor(context: Pick<ForwardContext, "outgoing" | "headers">, flow: Flow, unreadMs: number) {
    this.#context = context;
    this.#flow = flow;
    this.#unreadMs = unreadMs;
  }

  /** `performance.now()` when the first byte was written. */
  firstByteAt(): number | undefined {
    return this.#firstByteAt;
  }

  /** A slow client has not taken what was written yet. */
  isWaiting(): boolean {
    return this.#onDrain !== undefined;
  }

  /** Writes part of a stream, its head before the first part. */
  send(bytes: string | Buffer, headers: Readonly<Record<string, string>>): void {
    if (bytes.length === 0) return;
    if (this.#firstByteAt === undefined) this.#begin(headers);
    const { outgoing } = this.#context;
    if (write(outgoing, bytes) || this.#onDrain !== undefined) return;
    this.#onDrain = () => this.#resume();
    this.#flow.pause();
    outgoing.once("drain", this.#onDrain);
  }

  /** Writes a whole answer and ends it. */
  sendWhole({ body, headers, contentType = "application/json" }: WholeAnswer): void {
    const length = Buffer.byteLength(body);
    this.#begin({ ...headers, "content-type": contentType, "content-length": length });
    const { outgoing } = this.#context;
    if (typeof body === "string" && length === body.length) outgoing.end(body, "latin1");
    else outgoing.end(body);
    if (length > largeBytes) this.#cutUnread();
  }

  /** Ends a stream. */
  end(): void {
    this.#context.outgoing.end();
    if (this.#onDrain !== undefined) this.#cutUnread();
  }

  /** The client is gone: nothing waits for him any more. */
  abandon(): void {
    if (this.#onDrain === undefined) return;
    this.#context.outgoing.removeListener("drain", this.#onDrain);
    this.#resume();
  }

  release(): void {
    if (this.#onDrain !== undefined) this.#context.outgoing.removeListener("drain", this.#onDrain);
  }

  /**
   * Nobody watches over an answer that has ended, and Node waits for its reader for ever. What was taken to its end sets
   * the connection's next time limit itself. HTTP/2 has one connection for many answers: there only this one is cut.
   */
  #cutUnread(): void {
    const { outgoing } = this.#context;
    const { stream } = outgoing as unknown as Partial<Http2ServerResponse>;
    if (stream === undefined) outgoing.socket?.setTimeout(this.#unreadMs);
    else stream.setTimeout(this.#unreadMs, () => stream.close(constants.NGHTTP2_CANCEL));
  }

  #resume(): void {
    this.#onDrain = undefined;
    this.#flow.resume();
  }

  #begin(headers: Readonly<Record<string, string | number>>): void {
    const { outgoing, headers: own } = this.#context;
    this.#firstByteAt = performance.now();
    outgoing.writeHead(200, { ...answerHeaders(outgoing), ...own, ...headers });
  }
}

/** Less than this, the system takes at once. */
const largeBytes = 16 * 1024;

/** Text of ASCII alone needs no encoding: it is written as it lies in memory. */
function write(outgoing: ServerResponse, bytes: string | Buffer): boolean {
  const isAscii = typeof bytes === "string" && Buffer.byteLength(bytes) === bytes.length;
  return isAscii ? outgoing.write(bytes, "latin1") : outgoing.write(bytes);
}
