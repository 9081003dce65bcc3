import { randomBytes } from "node:crypto";
import { type Completion, complete } from "../completion.ts";
import { formatInWords } from "../format-in-words.ts";
import type { Operation } from "../operation.ts";
import { type ConverseBlock, type ConverseMessage, replyTo, standInThought, type Turn } from "../rule.ts";
import { fitted } from "../schema-example.ts";
import { pieces, tokensIn } from "../tokens.ts";
import { type Block, type ClaudeRequest, content, readClaudeRequest, thinks } from "./claude-request.ts";

/** InvokeModel of Claude: Anthropic's messages with the version in the body. */
export const claude: Operation = (body, { model, rules, guarded, betas }) => {
  const request = readClaudeRequest(body, model, betas);
  const turn = turnOf(request, model);
  const prompt = JSON.stringify([request.system, request.messages, request.tools]);
  const said = replyTo(rules, turn);
  const text = fitted(said.text, request.output_config?.format?.schema ?? formatInWords(turn));
  const reply = text === undefined ? said : { ...said, text };
  const thought = thinks(request.thinking) ? { reasoning: reply.reasoning ?? standInThought } : {};
  const completion = complete({ ...reply, ...thought }, turn, prompt, {
    maxTokens: request.max_tokens,
    stopSequences: request.stop_sequences,
    guarded,
  });
  return {
    json: () => ({
      ...message(completion, model),
      content: contentOf(completion),
      ...ending(completion),
      usage: usageOf(completion),
      ...action(completion),
    }),
    events: () => events(completion, model),
    headers: tokenHeaders(completion),
  };
};

function turnOf(request: ClaudeRequest, model: string): Turn {
  const told = request.messages.filter(({ role }) => role === "system").flatMap((message) => blocksOf(message.content));
  return {
    system: [...blocksOf(request.system ?? ""), ...told].map((part) => part.text ?? "").join("\n"),
    messages: request.messages.flatMap(({ role, content: said }): ConverseMessage[] =>
      role === "system" ? [] : [{ role, content: blocksOf(said) }],
    ),
    tools: (request.tools ?? []).map(({ name, input_schema }) => ({ name, inputSchema: input_schema })),
    ...forcedTool(request.tool_choice),
    model,
  };
}

function forcedTool(choice: ClaudeRequest["tool_choice"]): Pick<Turn, "forced"> {
  if (choice?.type === "any") return { forced: {} };
  return choice?.type === "tool" && choice.name !== undefined ? { forced: { name: choice.name } } : {};
}

export function tokenHeaders({ usage }: Completion): Record<string, string> {
  return {
    "x-amzn-bedrock-input-token-count": String(usage.inputTokens),
    "x-amzn-bedrock-output-token-count": String(usage.outputTokens),
    "x-amzn-bedrock-invocation-latency": "1",
  };
}

/** What the count-tokens operation says of a body. */
export function claudeTokens(body: unknown, model: string): number {
  const request = readClaudeRequest(body, model);
  if (request.tools?.length === 0) throw new TypeError("tools: List should have at least 1 item");
  return tokensIn(JSON.stringify([request.system, request.messages, request.tools]));
}

function blocksOf(from: string | readonly Block[]): ConverseBlock[] {
  if (typeof from === "string") return [{ text: from }];
  return from.map((part): ConverseBlock => {
    const cached = part.cache_control === undefined ? {} : { cachePoint: part.cache_control };
    switch (part.type) {
      case "text":
        return { text: String(part.text), ...cached };
      case "tool_use":
        return { toolUse: { toolUseId: String(part.id), name: String(part.name), input: part.input } };
      case "tool_result": {
        const inner = content.safeParse(part.content);
        return {
          toolResult: { toolUseId: String(part.tool_use_id), content: inner.success ? blocksOf(inner.data) : [] },
        };
      }
      case "image":
        return { image: part.source };
      case "document":
        return { document: { name: String(part.title ?? "document") } };
      default:
        return {};
    }
  });
}

function contentOf(completion: Completion): unknown[] {
  return [
    ...(completion.reasoning === undefined
      ? []
      : [{ type: "thinking", thinking: completion.reasoning, signature: "c3RhbmQtaW4=" }]),
    ...(completion.text === undefined ? [] : [{ type: "text", text: completion.text }]),
    ...completion.toolUses.map(({ id, name, input }) => ({
      type: "tool_use",
      id: id.replace("tooluse_", "toolu_bdrk_"),
      name,
      input,
    })),
  ];
}

function message(_: Completion, model: string) {
  const id = `msg_bdrk_${randomBytes(12).toString("base64url")}`;
  return {
    model: model.replace(/^.*anthropic\./, "").replace(/-v\d+:\d+$/, ""),
    id,
    type: "message",
    role: "assistant",
  };
}

function ending({ stopReason, stopSequence }: Completion) {
  const reason = stopReason === "guardrail_intervened" ? "end_turn" : stopReason;
  return { stop_reason: reason, stop_sequence: stopSequence ?? null };
}

/** How InvokeModel says that a guardrail stepped in. */
function action({ stopReason }: Completion) {
  return stopReason === "guardrail_intervened" ? { "amazon-bedrock-guardrailAction": "INTERVENED" } : {};
}

function usageOf({ usage }: Completion) {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: usage.cacheWriteInputTokens,
    cache_read_input_tokens: usage.cacheReadInputTokens,
    output_tokens: usage.outputTokens,
  };
}

function* events(completion: Completion, model: string): Generator<readonly [string, unknown]> {
  const started = {
    ...message(completion, model),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usageOf(completion), output_tokens: 1 },
  };
  yield chunk({ type: "message_start", message: started });
  let index = 0;
  for (const part of contentOf(completion) as Block[]) {
    yield* blockEvents(part, index);
    index += 1;
  }
  yield chunk({
    type: "message_delta",
    delta: ending(completion),
    usage: usageOf(completion),
  });
  const metrics = {
    inputTokenCount: completion.usage.inputTokens,
    outputTokenCount: completion.usage.outputTokens,
    cacheReadInputTokenCount: completion.usage.cacheReadInputTokens,
    cacheWriteInputTokenCount: completion.usage.cacheWriteInputTokens,
    invocationLatency: 1,
    firstByteLatency: 1,
  };
  yield chunk({ type: "message_stop", ...action(completion), "amazon-bedrock-invocationMetrics": metrics });
}

function* blockEvents(part: Block, index: number): Generator<readonly [string, unknown]> {
  const delta = (fields: unknown): readonly [string, unknown] =>
    chunk({ type: "content_block_delta", index, delta: fields });
  if (part.type === "tool_use") {
    yield chunk({ type: "content_block_start", index, content_block: { ...part, input: {} } });
    for (const fragment of JSON.stringify(part.input).match(/.{1,16}/gs) ?? [])
      yield delta({ type: "input_json_delta", partial_json: fragment });
  } else if (part.type === "thinking") {
    yield chunk({
      type: "content_block_start",
      index,
      content_block: { type: "thinking", thinking: "", signature: "" },
    });
    for (const thinking of pieces(String(part.thinking))) yield delta({ type: "thinking_delta", thinking });
    yield delta({ type: "signature_delta", signature: part.signature });
  } else {
    yield chunk({ type: "content_block_start", index, content_block: { type: "text", text: "" } });
    for (const text of pieces(String(part.text))) yield delta({ type: "text_delta", text });
  }
  yield chunk({ type: "content_block_stop", index });
}

/** InvokeModel's streams wrap a family's own JSON in base64. */
export function chunk(event: unknown): readonly [string, unknown] {
  return ["chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64"), p: "abcdef" }];
}
