import type { Usage } from "../../call.ts";
import { anthropicStopReason, anthropicUsage, stopDetails } from "../../dialects/anthropic/answer.ts";
import { anthropicErrorBody } from "../../dialects/anthropic/error.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { createFrameReader } from "../../streams/event-stream.ts";
import { malformedAnswer } from "../answer-stream.ts";
import { createClaudeWatch } from "../anthropic/watch.ts";
import { type Exchange, newProgress, type ResponseStream } from "../exchange.ts";
import { passingStream } from "../passing-stream.ts";
import type { Outgoing } from "../upstream.ts";
import { claudeBody } from "./claude-body.ts";
import { modelPath } from "./converse.ts";
import { foundationModel } from "./family.ts";
import { guardrailStop, invokeUsage } from "./invoke-usage.ts";
import { requestMetadata } from "./metadata.ts";
import { frameFailure } from "./reader.ts";

/** The Anthropic dialect to Claude on Bedrock: InvokeModel, whose answers are already in the client's words. */
export function claudeExchange(outgoing: Outgoing, tellUser: boolean, furtherBetas: readonly string[]): Exchange {
  const { call, deployment, caller } = outgoing;
  const guardrail = deployment.params.guardrailConfig;
  return {
    method: "POST",
    path: modelPath(deployment.modelId, call.stream ? "invoke-with-response-stream" : "invoke"),
    body: claudeBody(call.body, call.raw.headers.get("anthropic-beta"), furtherBetas),
    headers: {
      "content-type": "application/json",
      accept: call.stream ? "application/vnd.amazon.eventstream" : "application/json",
      ...(tellUser ? { "x-amzn-bedrock-request-metadata": JSON.stringify(requestMetadata(caller, undefined)) } : {}),
      ...(guardrail === undefined
        ? {}
        : {
            "x-amzn-bedrock-guardrailidentifier": guardrail.guardrailIdentifier,
            "x-amzn-bedrock-guardrailversion": guardrail.guardrailVersion,
          }),
    },
    answer(body, headers) {
      const usage = invokeUsage(body, headers);
      const message: unknown = JSON.parse(body.toString("utf8"));
      const stopReason = guardrailStop(message);
      if (stopReason === undefined || !isObject(message)) return { body, usage };
      return { body: JSON.stringify({ ...message, ...stopped(stopReason) }), usage, stopReason };
    },
    ...(call.stream ? { stream: claudeStream } : {}),
  };
}

/** `count_tokens` for Claude: the body that would be sent, inside Bedrock's question. */
export function claudeCount({ call, deployment }: Outgoing, furtherBetas: readonly string[]): Exchange {
  const body = claudeBody(countable(call.body), call.raw.headers.get("anthropic-beta"), furtherBetas);
  return {
    method: "POST",
    path: modelPath(foundationModel(deployment.modelId), "count-tokens"),
    body: JSON.stringify({ input: { invokeModel: { body: Buffer.from(body).toString("base64") } } }),
    headers: { "content-type": "application/json", accept: "application/json" },
    answer: countAnswer,
  };
}

/** Bedrock checks the body as if it were to be answered: a limit above the thoughts', and no empty list of tools. */
function countable({ tools, max_tokens, ...body }: JsonObject): JsonObject {
  const budget = isObject(body.thinking) ? body.thinking.budget_tokens : undefined;
  return {
    ...body,
    max_tokens: max_tokens || (typeof budget === "number" ? budget + 1 : 1),
    ...(Array.isArray(tools) && tools.length === 0 ? {} : { tools }),
  };
}

/** Bedrock's count in Anthropic's words. */
export function countAnswer(body: Buffer) {
  const counted: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(counted) || typeof counted.inputTokens !== "number") throw malformedAnswer("it carries no count");
  return { body: JSON.stringify({ input_tokens: counted.inputTokens }), usage: undefined };
}

/** How a message ends, in Anthropic's words. */
function stopped(stopReason: string) {
  return { stop_reason: anthropicStopReason(stopReason), ...stopDetails(stopReason) };
}

/**
 * Chunks of InvokeModel, each one of Anthropic's events in base64, back into the events they are. How the message ends
 * waits for the last of them: that, too, may say that a guardrail stepped in.
 */
function claudeStream(): ResponseStream {
  const progress = newProgress();
  const watch = createClaudeWatch(progress);
  let ending: JsonObject | undefined;
  let intervened: ReturnType<typeof guardrailStop>;
  const ended = (): string => {
    if (ending === undefined) return "";
    const end =
      intervened === undefined ? ending : { ...ending, delta: { ...Object(ending.delta), ...stopped(intervened) } };
    ending = undefined;
    return `event: message_delta\ndata: ${JSON.stringify(wholeUsage(end, progress.usage))}\n\n`;
  };
  /** The event as Anthropic's own service would say it. */
  const said = (event: string): string => {
    const type = watch(event);
    if (type !== "message_delta" && type !== "message_stop") return `event: ${type}\ndata: ${event}\n\n`;
    const parsed: JsonObject = JSON.parse(event);
    intervened ??= guardrailStop(parsed);
    progress.stopReason = intervened ?? progress.stopReason;
    const before = ended();
    if (type === "message_delta") {
      ending = parsed;
      return before;
    }
    // Bedrock adds its own metrics to the last event.
    return `${before}event: message_stop\ndata: {"type":"message_stop"}\n\n`;
  };
  return passingStream({
    progress,
    keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
    fail: (error) => `event: error\ndata: ${anthropicErrorBody(error)}\n\n`,
    read: (write) =>
      createFrameReader((headers, frame) => {
        if (headers[":message-type"] !== "event") progress.failure ??= frameFailure(headers, frame);
        else if (headers[":event-type"] === "chunk") {
          const chunk: JsonObject = JSON.parse(frame.text());
          write(said(Buffer.from(String(chunk.bytes), "base64").toString("utf8")));
        }
      }),
  });
}

/** Anthropic's own service says all counts at the end, and clients read them there; Bedrock says some only at the start. */
function wholeUsage(end: JsonObject, usage: Usage | undefined): JsonObject {
  if (!isObject(end.usage) || usage === undefined) return end;
  return { ...end, usage: { ...anthropicUsage(usage), ...end.usage } };
}
