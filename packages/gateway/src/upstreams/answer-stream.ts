import type { AnswerSink } from "../dialects/conversation.ts";
import { charactersPerToken } from "../dialects/estimate.ts";
import { GatewayError } from "../errors.ts";
import { isWhole, newProgress, type Progress, type ResponseStream } from "./exchange.ts";
import { bodyError } from "./http-error.ts";

/** Reads one upstream's stream and tells the sink what it says. */
export interface AnswerReader {
  push(chunk: Buffer): void;
  /** The upstream has ended. */
  end(): void;
}

/** Writes a dialect's stream: what the sink is told piles up in `take()`. */
export interface AnswerWriter extends AnswerSink {
  readonly headers: Readonly<Record<string, string>>;
  readonly keepAlive: string | undefined;
  /** Everything after the last event of the answer. */
  finish(): void;
  /** @returns what was written since the last call */
  take(): string | Buffer;
}

/** Joins a reader and a writer, counting on the way what the record needs. */
export function joinStream(open: (sink: AnswerSink) => AnswerReader, writer: AnswerWriter): ResponseStream {
  const progress = newProgress();
  const reader = open(counting(writer, progress));
  return {
    headers: writer.headers,
    keepAlive: writer.keepAlive,
    progress,
    push(chunk) {
      reader.push(chunk);
      return writer.take();
    },
    end() {
      reader.end();
      if (progress.complete && progress.failure === undefined) writer.finish();
      return writer.take();
    },
    fail(error) {
      writer.fail(error);
      return writer.take();
    },
  };
}

function counting(writer: AnswerWriter, progress: Progress): AnswerSink {
  /** The call that has no input yet. */
  let mute: number | undefined;
  // A tool without parameters may be called without a word; clients parse what they get, or run nothing without it.
  const endCall = (): void => {
    if (mute !== undefined) writer.toolInput(mute, "{}");
    mute = undefined;
  };
  return {
    start: () => writer.start(),
    text(block, text) {
      progress.characters += heard(text);
      writer.text(block, text);
    },
    citation: (block, citation) => writer.citation?.(block, citation),
    reasoning(block, text) {
      progress.characters += heard(text);
      writer.reasoning(block, text);
    },
    signature: (block, signature) => writer.signature(block, signature),
    redacted: (block, data) => writer.redacted(block, data),
    toolStart(block, id, name) {
      endCall();
      mute = block;
      writer.toolStart(block, id, name);
    },
    toolInput(block, json) {
      if (json === "") return;
      mute = undefined;
      progress.characters += heard(json);
      writer.toolInput(block, json);
    },
    blockStop(block) {
      endCall();
      writer.blockStop(block);
    },
    stop(reason, sequence) {
      endCall();
      progress.complete = true;
      progress.stopReason = reason;
      writer.stop(reason, sequence);
    },
    usage(usage) {
      progress.usage = usage;
      writer.usage(usage);
    },
    // The relay writes the error event itself, once it knows whether another deployment may still be tried.
    fail(error) {
      if (!isWhole(progress)) progress.failure ??= error;
    },
  };
}

/** Characters of a part; a token's at least, which in most languages is less than four of them. */
function heard(part: string): number {
  return part === "" ? 0 : Math.max(charactersPerToken, part.length);
}

/**
 * Ends a reader of events.
 * @returns what was wrong with its end; undefined when nothing was
 */
export function endProblem(reader: { end(): string }): GatewayError | undefined {
  let rest: string;
  try {
    rest = reader.end();
  } catch (cause) {
    return malformedAnswer("its stream ended inside an event", cause);
  }
  return rest === "" ? undefined : (bodyError(rest) ?? malformedAnswer("its stream ended inside an event"));
}

/** The upstream's bytes were not what its protocol promises. */
export function malformedAnswer(what: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream_failed", `The model provider's answer could not be read: ${what}. Try again.`, {
    cause,
  });
}
