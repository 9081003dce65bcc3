import { noUsage, type Usage } from "../../call.ts";
import { encodeFrame, frameStreamHeaders } from "../../streams/event-stream.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { unsupported } from "../body.ts";
import type { ContentBlock } from "../conversation.ts";
import type { Translator } from "../translator.ts";
import { exceptionFrame } from "./error.ts";
import { operationOf } from "./parse.ts";
import { converseConversation } from "./request.ts";

function converseCount(usage: Usage) {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteHourTokens } = usage;
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
    cacheReadInputTokens: cacheReadTokens,
    cacheWriteInputTokens: cacheWriteTokens,
    ...(cacheWriteHourTokens === undefined
      ? {}
      : { cacheDetails: cacheDetails(cacheWriteTokens, cacheWriteHourTokens) }),
  };
}

/** What was written into the cache by how long it is kept, the longest first, as AWS says it. */
function cacheDetails(written: number, forHour: number) {
  const details = [
    { ttl: "1h", inputTokens: forHour },
    { ttl: "5m", inputTokens: written - forHour },
  ];
  return details.filter(({ inputTokens }) => inputTokens > 0);
}

/** A text that cites is a block of another kind. */
function answered(block: ContentBlock): unknown {
  if (!("text" in block) || block.citations === undefined) return block;
  return { citationsContent: { content: [{ text: block.text }], citations: block.citations } };
}

/** Converse frames for an answer that comes from elsewhere. */
function converseWriter(): AnswerWriter {
  const startedAt = performance.now();
  let frames: Buffer[] = [];
  let usage: Usage = noUsage;
  const event = (type: string, payload: unknown): void => {
    const headers = { ":event-type": type, ":content-type": "application/json", ":message-type": "event" };
    frames.push(encodeFrame(headers, JSON.stringify(payload)));
  };
  const delta = (contentBlockIndex: number, part: unknown): void =>
    event("contentBlockDelta", { contentBlockIndex, delta: part });
  return {
    headers: frameStreamHeaders,
    keepAlive: undefined,
    start: () => event("messageStart", { role: "assistant" }),
    text: (block, text) => delta(block, { text }),
    citation: (block, citation) => delta(block, { citation }),
    reasoning: (block, text) => delta(block, { reasoningContent: { text } }),
    signature: (block, signature) => delta(block, { reasoningContent: { signature } }),
    redacted: (block, redactedContent) => delta(block, { reasoningContent: { redactedContent } }),
    toolStart: (contentBlockIndex, toolUseId, name) =>
      event("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId, name } } }),
    toolInput: (block, input) => delta(block, { toolUse: { input } }),
    blockStop: (contentBlockIndex) => event("contentBlockStop", { contentBlockIndex }),
    stop: (stopReason) => event("messageStop", { stopReason }),
    usage(counted) {
      usage = counted;
    },
    finish: () =>
      event("metadata", {
        usage: converseCount(usage),
        metrics: { latencyMs: Math.round(performance.now() - startedAt) },
      }),
    fail: (error) => void frames.push(exceptionFrame(error)),
    take() {
      const written = Buffer.concat(frames);
      frames = [];
      return written;
    },
  };
}

/** Converse, there and back. `invoke` is not translated: its body is the model's own. */
export const converseTranslator: Translator = {
  conversation(body, call) {
    if (!operationOf(call.raw.path).startsWith("converse")) {
      throw unsupported("modelId", "this model is not served by Bedrock. Use converse or converse-stream.");
    }
    return converseConversation(body);
  },
  answer: (answer) =>
    JSON.stringify({
      output: { message: { role: "assistant", content: answer.content.map(answered) } },
      stopReason: answer.stopReason,
      usage: converseCount(answer.usage),
      metrics: { latencyMs: 0 },
    }),
  writer: converseWriter,
};
