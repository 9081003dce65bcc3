import type { Usage } from "../../call.ts";
import { encodeFrame } from "../../streams/event-stream.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { arrayField, isObject, type JsonObject, missing, objectField, unsupported } from "../body.ts";
import {
  type Conversation,
  type InferenceConfig,
  type Message,
  noUsage,
  type SystemBlock,
  type Tool,
  type ToolChoice,
} from "../conversation.ts";
import type { FieldNames } from "../field-names.ts";
import type { Translator } from "../translator.ts";
import { exceptionFrame } from "./error.ts";
import { operationOf } from "./parse.ts";

const names: FieldNames = {
  temperature: "inferenceConfig.temperature",
  topP: "inferenceConfig.topP",
  maxTokens: "inferenceConfig.maxTokens",
  toolChoice: "toolConfig.toolChoice",
  serviceTier: "serviceTier",
};

/** A Converse body is a conversation already; only what Converse has beside it must be said to another upstream. */
export function converseConversation(body: JsonObject): Conversation {
  for (const name of [
    "guardrailConfig",
    "promptVariables",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
  ]) {
    if (body[name] != null) throw unsupported(name, "this model is not served by Bedrock.");
  }
  const messages = arrayField(body, "messages");
  if (messages === undefined || messages.length === 0) throw missing("messages");
  const toolConfig = objectField(body, "toolConfig");
  const tier = objectField(body, "serviceTier")?.type;
  const format = objectField(objectField(body, "outputConfig") ?? {}, "textFormat");
  const structure = objectField(objectField(format ?? {}, "structure") ?? {}, "jsonSchema");
  return {
    system: (arrayField(body, "system") ?? []) as readonly SystemBlock[],
    messages: messages as readonly Message[],
    inferenceConfig: (objectField(body, "inferenceConfig") ?? {}) as InferenceConfig,
    tools: (toolConfig?.tools ?? []) as readonly Tool[],
    ...(isObject(toolConfig?.toolChoice) ? { toolChoice: toolConfig.toolChoice as unknown as ToolChoice } : {}),
    ...(typeof structure?.schema === "string"
      ? { outputFormat: { type: "json_schema", schema: JSON.parse(structure.schema) } }
      : {}),
    ...(typeof tier === "string" ? { serviceTier: tier } : {}),
    wishes: {},
    names,
  };
}

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

/** Converse frames for an answer that comes from elsewhere. */
export function converseWriter(): AnswerWriter {
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
    headers: { "content-type": "application/vnd.amazon.eventstream" },
    keepAlive: undefined,
    start: () => event("messageStart", { role: "assistant" }),
    text: (block, text) => delta(block, { text }),
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

export const converseTranslator: Translator = {
  conversation(body, call) {
    if (!operationOf(call.raw.path).startsWith("converse")) {
      throw unsupported("modelId", "this model is not served by Bedrock. Use converse or converse-stream.");
    }
    return converseConversation(body);
  },
  answer: (answer) =>
    JSON.stringify({
      output: { message: { role: "assistant", content: answer.content } },
      stopReason: answer.stopReason,
      usage: converseCount(answer.usage),
      metrics: { latencyMs: 0 },
    }),
  writer: converseWriter,
};
