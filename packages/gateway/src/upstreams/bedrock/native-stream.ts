import { exceptionFrame } from "../../dialects/bedrock/error.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { createFrameReader, type Frame, frameStreamHeaders } from "../../streams/event-stream.ts";
import { malformedAnswer } from "../answer-stream.ts";
import { deltaCharacters, tokensOf } from "../anthropic/watch.ts";
import { isWhole, newProgress, type Progress, type ResponseStream } from "../exchange.ts";
import { converseUsage } from "./answer.ts";
import { guardrailStop, usageIn } from "./invoke-usage.ts";
import { frameFailure } from "./reader.ts";

/** Frames passed on as they are once their checksums hold, with usage and end read on the way. */
export function nativeStream(converse: boolean): ResponseStream {
  const progress = newProgress();
  const watch = converse ? watchConverse : watchInvoke;
  let frames: Buffer[] = [];
  let told = false;
  const reader = createFrameReader((headers, frame) => {
    frames.push(frame.whole());
    if (headers[":message-type"] === "event") watch(progress, headers[":event-type"], frame);
    else {
      progress.failure ??= frameFailure(headers, frame);
      told = true;
    }
  });
  const take = (): Buffer => {
    const only = frames.length === 1 ? frames[0] : undefined;
    const written = only ?? Buffer.concat(frames);
    frames = [];
    return written;
  };
  return {
    headers: frameStreamHeaders,
    keepAlive: undefined,
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
      if (!reader.atBoundary()) {
        if (!isWhole(progress)) progress.failure ??= malformedAnswer("its stream ended inside an event");
        // InvokeModel's families end each in their own way; a stream that closed between frames is whole.
      } else if (!converse) progress.complete = true;
      return take();
    },
    // Bedrock's own exception frame has gone out already.
    fail: (error) => (told ? "" : exceptionFrame(error)),
  };
}

function watchConverse(progress: Progress, type: unknown, frame: Frame): void {
  if (type === "contentBlockDelta") {
    progress.characters += Math.max(4, frame.size() - converseOverhead);
    return;
  }
  if (type !== "messageStop" && type !== "metadata") return;
  const event: JsonObject = JSON.parse(frame.text());
  if (type === "metadata") progress.usage = converseUsage(event.usage);
  else {
    progress.complete = true;
    progress.stopReason = typeof event.stopReason === "string" ? event.stopReason : undefined;
  }
}

/** Bytes of a text delta that are not its text, its padding of random length among them. */
const converseOverhead = 64;

/** Claude says at the start what it has read; what it writes is counted by its length until it says that, too. */
function heard(progress: Progress, bytes: Buffer): void {
  if (!bytes.includes('"content_block_delta"')) {
    progress.characters += bytes.length >> 1;
    return;
  }
  progress.characters += deltaCharacters(bytes.length);
  const { usage, characters } = progress;
  if (usage !== undefined) progress.usage = { ...usage, outputTokens: tokensOf(characters) };
}

/** Usage comes in one chunk's JSON; Claude says its input tokens in another before. */
function watchInvoke(progress: Progress, type: unknown, frame: Frame): void {
  if (type !== "chunk") return;
  const chunk: JsonObject = JSON.parse(frame.text());
  const bytes = typeof chunk.bytes === "string" ? Buffer.from(chunk.bytes, "base64") : Buffer.alloc(0);
  const counts = bytes.includes('"usage"') || bytes.includes("okenCount") || bytes.includes("oken_count");
  // In words its quotes would be escaped.
  if (!counts && !bytes.includes('"INTERVENED"')) {
    heard(progress, bytes);
    return;
  }
  const event: unknown = JSON.parse(bytes.toString("utf8"));
  if (!isObject(event)) return;
  progress.stopReason = guardrailStop(event) ?? progress.stopReason;
  const found = usageIn(event) ?? (isObject(event.message) ? usageIn(event.message) : undefined);
  if (found === undefined) return;
  const before = progress.usage;
  progress.usage = {
    ...before,
    ...found,
    inputTokens: found.inputTokens === 0 ? (before?.inputTokens ?? 0) : found.inputTokens,
    cacheReadTokens: found.cacheReadTokens === 0 ? (before?.cacheReadTokens ?? 0) : found.cacheReadTokens,
    cacheWriteTokens: found.cacheWriteTokens === 0 ? (before?.cacheWriteTokens ?? 0) : found.cacheWriteTokens,
    reasoningTokens: found.reasoningTokens === 0 ? (before?.reasoningTokens ?? 0) : found.reasoningTokens,
  };
}
