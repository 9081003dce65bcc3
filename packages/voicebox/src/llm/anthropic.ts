import Anthropic from "@anthropic-ai/sdk";
import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageCreateParamsBase,
  MessageParam,
  RawMessageStreamEvent,
  StopReason,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import { failureOf } from "./failure.ts";
import { toolInput } from "./tool-input.ts";
import { fetchThrough, rootOf, type WireOptions } from "./transport.ts";
import { LlmFailure, type LlmMessage, type LlmReply, type LlmTurn, type LlmWire, type ToolCall } from "./turn.ts";

/** Not `messages.create`, which writes to the console about models by names that are the gateway's to know. */
const path = "/v1/messages";

/** Anthropic's messages, by Anthropic's own client. */
export function anthropicWire({ serverUrl, model, dispatcher }: WireOptions): LlmWire {
  const client = new Anthropic({
    apiKey: null,
    // Each request carries its own user's token instead.
    authToken: "none",
    baseURL: rootOf(serverUrl),
    maxRetries: 0,
    logLevel: "off",
    fetch: fetchThrough(dispatcher),
  });
  return async (turn, { token, headers, signal }) => {
    const options = { headers: { ...headers, authorization: `Bearer ${token}` }, signal };
    try {
      if (turn.onText === undefined) {
        const body = { ...requestOf(turn, model), stream: false };
        const { content, usage, stop_reason: stop } = await client.post<Message>(path, { ...options, body });
        return replyOf(content, { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens }, stop);
      }
      const body = { ...requestOf(turn, model), stream: true };
      const stream = await client.post<AsyncIterable<RawMessageStreamEvent>>(path, { ...options, body, stream: true });
      turn.onAccepted?.();
      return await gather(stream, turn.onText);
    } catch (error) {
      throw failureOf(error, signal, isAnswer);
    }
  };
}

function isAnswer(error: unknown): error is InstanceType<typeof Anthropic.APIError> {
  return error instanceof Anthropic.APIError;
}

function requestOf(turn: LlmTurn, model: string): Omit<MessageCreateParamsBase, "stream"> {
  return {
    model,
    max_tokens: turn.maxOutputTokens,
    system: turn.system,
    messages: messagesOf(turn.messages),
    tools: turn.tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: { ...inputSchema, type: "object" as const },
    })),
  };
}

/** The results of one turn's tools go back in one message, in the user's name. */
function messagesOf(messages: readonly LlmMessage[]): MessageParam[] {
  const sent: MessageParam[] = [];
  for (const message of messages) {
    if (message.role === "user") sent.push({ role: "user", content: message.text });
    else if (message.role === "assistant") sent.push({ role: "assistant", content: spoken(message) });
    else results(sent).push(resultOf(message));
  }
  return sent;
}

function spoken({ text, toolCalls }: Extract<LlmMessage, { role: "assistant" }>): ContentBlockParam[] {
  const calls = toolCalls.map(({ id, name, input }) => ({ type: "tool_use" as const, id, name, input: input ?? {} }));
  return text === "" && calls.length > 0 ? calls : [{ type: "text", text }, ...calls];
}

function resultOf({ callId, content, failed }: Extract<LlmMessage, { role: "tool" }>): ToolResultBlockParam {
  return { type: "tool_result", tool_use_id: callId, content, is_error: failed };
}

function results(sent: MessageParam[]): ContentBlockParam[] {
  const last = sent.at(-1);
  if (last?.role === "user" && Array.isArray(last.content)) return last.content;
  const content: ContentBlockParam[] = [];
  sent.push({ role: "user", content });
  return content;
}

function replyOf(content: readonly ContentBlock[], usage: LlmReply["usage"], stop: StopReason | null): LlmReply {
  const text = content.flatMap((block) => (block.type === "text" ? block.text : [])).join("");
  const toolCalls = content.flatMap((block): ToolCall[] =>
    block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : [],
  );
  return { text, toolCalls, usage, stop: stopOf(stop, toolCalls) };
}

async function gather(
  stream: AsyncIterable<RawMessageStreamEvent>,
  onText: (piece: string) => void,
): Promise<LlmReply> {
  let text = "";
  let stop: StopReason | null = null;
  const usage = { inputTokens: 0, outputTokens: 0 };
  const calls = new Map<number, { id: string; name: string; json: string }>();
  for await (const event of stream) {
    if (event.type === "message_start") usage.inputTokens = event.message.usage.input_tokens;
    else if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
      calls.set(event.index, { id: event.content_block.id, name: event.content_block.name, json: "" });
    } else if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
      text += event.delta.text;
      onText(event.delta.text);
    } else if (event.type === "content_block_delta" && event.delta.type === "input_json_delta") {
      const call = calls.get(event.index);
      if (call !== undefined) call.json += event.delta.partial_json;
    } else if (event.type === "message_delta") {
      stop = event.delta.stop_reason;
      usage.outputTokens = event.usage.output_tokens;
    }
  }
  if (stop === null) throw new LlmFailure("The language model's answer ended before it was complete.", { status: 502 });
  const toolCalls = [...calls.values()].map(({ id, name, json }): ToolCall => ({ id, name, input: toolInput(json) }));
  return { text, toolCalls, usage, stop: stopOf(stop, toolCalls) };
}

function stopOf(stop: StopReason | null, calls: readonly ToolCall[]): LlmReply["stop"] {
  if (stop === "max_tokens") return "length";
  if (stop === "refusal") return "refused";
  return calls.length > 0 ? "tools" : "end";
}
