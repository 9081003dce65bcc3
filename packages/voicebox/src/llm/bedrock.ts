import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type Message,
  type TokenUsage,
  type Tool,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { failureOf, secondsOf } from "./failure.ts";
import { toolInput } from "./tool-input.ts";
import { rootOf, type WireOptions } from "./transport.ts";
import {
  type LlmDelivery,
  LlmFailure,
  type LlmMessage,
  type LlmReply,
  type LlmTurn,
  type LlmWire,
  type ToolCall,
} from "./turn.ts";

/** Bedrock's Converse, by AWS's own client: at a gateway, whose bearer token takes the place of a signature. */
export function bedrockWire({ serverUrl, model }: WireOptions): LlmWire {
  const client = new BedrockRuntimeClient({
    endpoint: rootOf(serverUrl),
    // The client wants a region; behind a gateway it decides nothing.
    region: "us-east-1",
    // Each request carries its own user's token instead.
    token: { token: "none" },
    authSchemePreference: ["httpBearerAuth"],
    // The client's default is HTTP/2 without TLS, which no common HTTP server takes.
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
  return async (turn, delivery) => {
    const input = requestOf(turn, model);
    const options = { abortSignal: delivery.signal };
    try {
      if (turn.onText === undefined) {
        const { output, usage, stopReason } = await client.send(
          addressed(new ConverseCommand(input), delivery),
          options,
        );
        return replyOf(output?.message?.content ?? [], usage, stopReason);
      }
      const { stream } = await client.send(addressed(new ConverseStreamCommand(input), delivery), options);
      turn.onAccepted?.();
      return await gather(stream ?? nothing(), turn.onText);
    } catch (error) {
      throw failureOf(answered(error), delivery.signal, neverAnswered);
    }
  };
}

/** After the client has signed: the user's token and the trace. */
function addressed<C extends ConverseCommand | ConverseStreamCommand>(command: C, { token, headers }: LlmDelivery): C {
  // Both commands take the same middleware; their union's type does not show it.
  (command as ConverseCommand).middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { readonly request?: { headers?: Record<string, string> } };
      if (request !== undefined) request.headers = { ...request.headers, ...headers, authorization: `Bearer ${token}` };
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "addressToUser" },
  );
  return command;
}

/** AWS's exceptions keep status and headers elsewhere than the other clients' errors do. */
function answered(error: unknown): unknown {
  if (!(error instanceof BedrockRuntimeServiceException)) return error;
  const headers: Readonly<Record<string, string>> = error.$response?.headers ?? {};
  return new LlmFailure(error.message, {
    status: statusOf(error),
    retryAfterSeconds: secondsOf(headers["retry-after"]),
    challenge: headers["www-authenticate"],
    cause: error,
  });
}

/** An exception inside a stream comes after the status line said 200. */
function statusOf({ name, $metadata }: BedrockRuntimeServiceException): number | undefined {
  const status = $metadata.httpStatusCode;
  if (status !== undefined && status >= 400) return status;
  return name === "ThrottlingException" ? 429 : 502;
}

const neverAnswered = (_error: unknown): _error is { readonly status: number } => false;

function requestOf(turn: LlmTurn, modelId: string): ConverseCommandInput {
  return {
    modelId,
    system: [{ text: turn.system }],
    messages: messagesOf(turn.messages),
    inferenceConfig: { maxTokens: turn.maxOutputTokens },
    toolConfig: { tools: turn.tools.map(toolOf) },
  };
}

function toolOf({ name, description, inputSchema }: LlmTurn["tools"][number]): Tool {
  return { toolSpec: { name, description, inputSchema: { json: structuredClone(inputSchema) as never } } };
}

function messagesOf(messages: readonly LlmMessage[]): Message[] {
  const sent: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  for (const message of messages) {
    if (message.role === "user") sent.push({ role: "user", content: [{ text: message.text }] });
    else if (message.role === "assistant") sent.push({ role: "assistant", content: spoken(message) });
    else
      results(sent).push({
        toolResult: {
          toolUseId: message.callId,
          content: [{ text: message.content }],
          status: message.failed ? "error" : "success",
        },
      });
  }
  return sent;
}

function spoken({ text, toolCalls }: Extract<LlmMessage, { role: "assistant" }>): ContentBlock[] {
  const calls = toolCalls.map(
    ({ id, name, input }): ContentBlock => ({ toolUse: { toolUseId: id, name, input: (input ?? {}) as never } }),
  );
  return text === "" && calls.length > 0 ? calls : [{ text }, ...calls];
}

function results(sent: { role: "user" | "assistant"; content: ContentBlock[] }[]): ContentBlock[] {
  const last = sent.at(-1);
  if (last?.role === "user" && last.content.some((block) => block.toolResult !== undefined)) return last.content;
  const content: ContentBlock[] = [];
  sent.push({ role: "user", content });
  return content;
}

function replyOf(content: readonly ContentBlock[], usage: TokenUsage | undefined, stop: string | undefined): LlmReply {
  const text = content.flatMap((block) => block.text ?? []).join("");
  const toolCalls = content.flatMap(({ toolUse }): ToolCall[] =>
    toolUse === undefined ? [] : [{ id: toolUse.toolUseId ?? "", name: toolUse.name ?? "", input: toolUse.input }],
  );
  return { text, toolCalls, usage: usageOf(usage), stop: stopOf(stop, toolCalls) };
}

async function gather(stream: AsyncIterable<ConverseStreamOutput>, onText: (piece: string) => void): Promise<LlmReply> {
  let text = "";
  let stop: string | undefined;
  let usage: TokenUsage | undefined;
  const calls = new Map<number, { id: string; name: string; json: string }>();
  for await (const { contentBlockStart, contentBlockDelta, messageStop, metadata } of stream) {
    const started = contentBlockStart?.start?.toolUse;
    if (started !== undefined) {
      calls.set(contentBlockStart?.contentBlockIndex ?? 0, {
        id: started.toolUseId ?? "",
        name: started.name ?? "",
        json: "",
      });
    }
    const piece = contentBlockDelta?.delta?.text ?? "";
    if (piece !== "") {
      text += piece;
      onText(piece);
    }
    const call = calls.get(contentBlockDelta?.contentBlockIndex ?? -1);
    if (call !== undefined) call.json += contentBlockDelta?.delta?.toolUse?.input ?? "";
    stop = messageStop?.stopReason ?? stop;
    usage = metadata?.usage ?? usage;
  }
  if (stop === undefined)
    throw new LlmFailure("The language model's answer ended before it was complete.", { status: 502 });
  const toolCalls = [...calls.values()].map(({ id, name, json }): ToolCall => ({ id, name, input: toolInput(json) }));
  return { text, toolCalls, usage: usageOf(usage), stop: stopOf(stop, toolCalls) };
}

async function* nothing(): AsyncGenerator<ConverseStreamOutput> {}

function usageOf(usage: TokenUsage | undefined): LlmReply["usage"] {
  return { inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 };
}

function stopOf(stop: string | undefined, calls: readonly ToolCall[]): LlmReply["stop"] {
  if (stop === "max_tokens" || stop === "model_context_window_exceeded") return "length";
  if (stop === "guardrail_intervened" || stop === "content_filtered") return "refused";
  return calls.length > 0 ? "tools" : "end";
}
