import { eventStreamHeaders } from "../dialects/openai-chat/stream.ts";
import type { GatewayError } from "../errors.ts";
import { endProblem, malformedAnswer } from "./answer-stream.ts";
import { isWhole, type Progress, type ResponseStream } from "./exchange.ts";

/** Takes an upstream's bytes apart in any split. */
interface EventReader {
  push(chunk: Buffer): void;
  /** Nothing more comes. @returns what was no event, empty when the stream ended as it should */
  end(): string;
}

interface Passing {
  readonly progress: Progress;
  /** Sent while the upstream is silent. */
  readonly keepAlive: string;
  /** The client's words for a failure after the first byte. */
  readonly fail: (error: GatewayError) => string;
  /** What the client waits for after a whole answer and the upstream did not say. */
  readonly close?: () => string;
  /** Makes the reader, which writes what the client is to see of each event. */
  readonly read: (write: (text: string) => void) => EventReader;
}

/** A stream whose events pass as they came, or nearly; bytes that are no events, or end inside one, are its failure. */
export function passingStream({ progress, keepAlive, fail, close, read }: Passing): ResponseStream {
  let out = "";
  const reader = read((text) => {
    out += text;
  });
  const take = (): string => {
    const written = out;
    out = "";
    return written;
  };
  return {
    headers: eventStreamHeaders,
    keepAlive,
    progress,
    push(chunk) {
      try {
        reader.push(chunk);
      } catch (cause) {
        progress.failure ??= malformedAnswer("its stream is broken", cause);
      }
      return take();
    },
    end() {
      const problem = endProblem(reader);
      if (problem !== undefined && !isWhole(progress)) progress.failure ??= problem;
      if (close !== undefined && progress.complete && progress.failure === undefined) out += close();
      return take();
    },
    fail,
  };
}
