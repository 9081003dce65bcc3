import OpenAI from "openai";
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsBase,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import { failureOf } from "./failure.ts";
import { toolInput } from "./tool-input.ts";
import { fetchThrough, type WireOptions } from "./transport.ts";
import { LlmFailure, type LlmMessage, type LlmReply, type LlmTurn, type LlmWire, type ToolCall } from "./turn.ts";

/** OpenAI's chat completions, by OpenAI's own client. */
export function openaiWire({ serverUrl, model, dispatcher }: WireOptions): LlmWire {
  const client = new OpenAI({
    // Each request carries its own user's token instead.
    apiKey: "none",
    organization: null,
    project: null,
    baseURL: withVersion(serverUrl),
    // The gateway balances and fails over; a second attempt here would be counted twice against the user's limits.
    maxRetries: 0,
    logLevel: "off",
    fetch: fetchThrough(dispatcher),
  });
  return async (turn, { token, headers, signal }) => {
    const options = { headers: { ...headers, authorization: `Bearer ${token}` }, signal };
    try {
      if (turn.onText === undefined) {
        const completion = await client.chat.completions.create({ ...requestOf(turn, model), stream: false }, options);
        return replyOf(completion);
      }
      const stream = await client.chat.completions.create(
        { ...requestOf(turn, model), stream: true, stream_options: { include_usage: true } },
        options,
      );
      turn.onAccepted?.();
      return await gather(stream, turn.onText);
    } catch (error) {
      throw failureOf(error, signal, isAnswer);
    }
  };
}

/** The URL with a path as it is; a bare origin gets OpenAI's `/v1`. */
function withVersion(serverUrl: string): string {
  const url = new URL(serverUrl);
  return url.pathname === "/" ? `${url.origin}/v1` : serverUrl.replace(/\/+$/, "");
}

function requestOf(turn: LlmTurn, model: string): Omit<ChatCompletionCreateParamsBase, "stream"> {
  return {
    model,
    messages: [{ role: "system", content: turn.system }, ...turn.messages.map(messageOf)],
    tools: turn.tools.map(
      ({ name, description, inputSchema }): ChatCompletionTool => ({
        type: "function",
        function: { name, description, parameters: inputSchema },
      }),
    ),
    max_tokens: turn.maxOutputTokens,
  };
}

function messageOf(message: LlmMessage): ChatCompletionMessageParam {
  if (message.role === "user") return { role: "user", content: message.text };
  if (message.role === "tool") return { role: "tool", tool_call_id: message.callId, content: message.content };
  const calls = message.toolCalls.map(
    ({ id, name, input }): ChatCompletionMessageFunctionToolCall => ({
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(input ?? {}) },
    }),
  );
  return {
    role: "assistant",
    content: message.text === "" && calls.length > 0 ? null : message.text,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function replyOf({ choices, usage }: OpenAI.ChatCompletion): LlmReply {
  const choice = choices[0];
  if (choice === undefined) throw new LlmFailure("The language model gave no answer.", { status: 502 });
  const calls = (choice.message.tool_calls ?? []).flatMap((call): ToolCall[] =>
    call.type === "function"
      ? [{ id: call.id, name: call.function.name, input: toolInput(call.function.arguments) }]
      : [],
  );
  return {
    text: choice.message.content ?? "",
    toolCalls: calls,
    usage: { inputTokens: usage?.prompt_tokens ?? 0, outputTokens: usage?.completion_tokens ?? 0 },
    stop: stopOf(choice.finish_reason, calls),
  };
}

async function gather(stream: AsyncIterable<ChatCompletionChunk>, onText: (piece: string) => void): Promise<LlmReply> {
  let text = "";
  let finish: string | null = null;
  let usage = { inputTokens: 0, outputTokens: 0 };
  const calls: { id: string; name: string; json: string }[] = [];
  for await (const chunk of stream) {
    if (chunk.usage) usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens };
    const choice = chunk.choices[0];
    if (choice === undefined) continue;
    finish = choice.finish_reason ?? finish;
    for (const part of choice.delta.tool_calls ?? []) {
      const call = calls[part.index] ?? { id: "", name: "", json: "" };
      calls[part.index] = call;
      call.id ||= part.id ?? "";
      call.name += part.function?.name ?? "";
      call.json += part.function?.arguments ?? "";
    }
    const piece = choice.delta.content ?? "";
    if (piece === "") continue;
    text += piece;
    onText(piece);
  }
  if (finish === null)
    throw new LlmFailure("The language model's answer ended before it was complete.", { status: 502 });
  const toolCalls = calls.map(({ id, name, json }): ToolCall => ({ id, name, input: toolInput(json) }));
  return { text, toolCalls, usage, stop: stopOf(finish, toolCalls) };
}

function stopOf(finish: string, calls: readonly ToolCall[]): LlmReply["stop"] {
  if (finish === "length") return "length";
  if (finish === "content_filter") return "refused";
  return calls.length > 0 ? "tools" : "end";
}

function isAnswer(error: unknown): error is InstanceType<typeof OpenAI.APIError> {
  return error instanceof OpenAI.APIError;
}
