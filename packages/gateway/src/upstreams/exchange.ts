import type { Usage } from "../call.ts";
import type { GatewayError } from "../errors.ts";

/** What one upstream's stream becomes for the client: bytes in, bytes out, one pass, nothing kept but counters. */
export interface ResponseStream {
  /** Head of the answer, besides what every answer carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** @returns what to send on now; empty when the chunk ended inside an event */
  push(chunk: Buffer): string | Buffer;
  /** The upstream has ended. @returns what is still to be sent; `progress.complete` tells if it ended properly */
  end(): string | Buffer;
  /** The dialect's error event and whatever closes its stream. */
  fail(error: GatewayError): string | Buffer;
  /** Sent while nothing else is; undefined in protocols that have no such thing. */
  readonly keepAlive: string | undefined;
  readonly progress: Progress;
}

/** Read while a stream runs and when it has ended, however it ended. */
export interface Progress {
  usage: Usage | undefined;
  /** The upstream said itself that it failed. */
  failure: GatewayError | undefined;
  /** The upstream's own end of message was seen. */
  complete: boolean;
  /** In Converse's words; tells a guardrail from an ordinary end. */
  stopReason: string | undefined;
  /** Characters of output so far, for an estimate when the real count never came. */
  characters: number;
}

/** Of a stream that has said nothing yet; its reader writes into it. */
export function newProgress(): Progress {
  return { usage: undefined, failure: undefined, complete: false, stopReason: undefined, characters: 0 };
}

/** The answer and its count are whole. What breaks from here on was only the goodbye, and no failure of the answer. */
export function isWhole({ complete, usage }: Progress): boolean {
  return complete && usage !== undefined;
}

/** As undici hands them over: lower case, several of a name as a list. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer in the client's words, with what the record needs of it. */
export interface WholeAnswer {
  readonly body: string | Buffer;
  readonly usage: Usage | undefined;
  readonly stopReason?: string | undefined;
  /** Characters of output, where the upstream did not count them. */
  readonly characters?: number;
  readonly contentType?: string;
  /** Further headers for the client. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call in one upstream's words, and the way back. */
export interface Exchange {
  readonly method: "POST" | "GET";
  /** Below the deployment's base URL, percent-encoded. */
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** @throws SyntaxError or GatewayError when the upstream's answer is not what it should be */
  answer(body: Buffer, headers: UpstreamHeaders): WholeAnswer;
  /** Calls that must have been answered before this one is sent; `answer` of the last one speaks for all. */
  readonly before?: readonly Exchange[];
  /** Absent for calls that are answered whole. */
  stream?: () => ResponseStream;
}
