import { noUsage } from "../../call.ts";
import { anthropicErrorBody } from "../../dialects/anthropic/error.ts";
import { isObject, unsupported } from "../../dialects/body.ts";
import { createSseReader } from "../../streams/sse.ts";
import { joinStream, malformedAnswer } from "../answer-stream.ts";
import { createBases } from "../base.ts";
import { type Exchange, newProgress, type ResponseStream, type WholeAnswer } from "../exchange.ts";
import { createExtraHeaders } from "../extra-headers.ts";
import { eventError, httpError } from "../http-error.ts";
import type { KeyOf } from "../key.ts";
import { passedBody } from "../passed-body.ts";
import { passingStream } from "../passing-stream.ts";
import type { Outgoing, Upstream } from "../upstream.ts";
import { messageAnswer, messagesReader } from "./answer.ts";
import { claudeTurns } from "./claude-turns.ts";
import { messagesBody } from "./request.ts";
import { claudeUsage, createClaudeWatch } from "./watch.ts";

const anthropicUrl = "https://api.anthropic.com";
/** The protocol's version; what a client names stays with the gateway. */
const anthropicVersion = "2023-06-01";

/** Anthropic and whatever speaks its messages. */
export function createAnthropicUpstream(keyOf: KeyOf): Upstream {
  // LiteLLM's api_base may end in /v1 or not.
  const baseOf = createBases(({ params }) => (params.api_base ?? anthropicUrl).replace(/\/v1\/?$/, ""));
  const extraHeaders = createExtraHeaders();
  return {
    exchange(outgoing) {
      const { call, translator } = outgoing;
      if (call.dialect === "anthropic") return passed(outgoing);
      if (call.operation === "generate" && translator !== undefined) return translated(outgoing, translator);
      throw unsupported("model", "this model cannot be used on this route.");
    },
    async address(exchange, { deployment, caller, call }) {
      const base = baseOf(deployment);
      const key = await keyOf(deployment, caller);
      const beta = call.dialect === "anthropic" ? call.raw.headers.get("anthropic-beta") : null;
      const headers = {
        ...exchange.headers,
        "anthropic-version": anthropicVersion,
        ...(beta === null ? {} : { "anthropic-beta": beta }),
        ...(key === undefined ? {} : { "x-api-key": key }),
        traceparent: caller.traceparent,
        ...extraHeaders(deployment),
      };
      return { origin: base.origin, path: base.path + exchange.path, headers };
    },
    errorOf: httpError,
  };
}

function passed(outgoing: Outgoing): Exchange {
  const { call, deployment } = outgoing;
  const counts = call.operation === "count_tokens";
  // Other models behind this protocol sign nothing, and take their own back.
  const body = deployment.modelId.includes("claude") ? claudeTurns(call.body) : call.body;
  const told = deployment.modelId === call.model ? body : { ...body, model: deployment.modelId };
  return {
    method: "POST",
    path: counts ? "/v1/messages/count_tokens" : "/v1/messages",
    body: passedBody(outgoing, told),
    headers: { "content-type": "application/json", accept: call.stream ? "text/event-stream" : "application/json" },
    answer: (body) => (counts ? { body, usage: undefined } : passedMessage(body)),
    ...(call.stream ? { stream: passedStream } : {}),
  };
}

function passedMessage(body: Buffer): WholeAnswer {
  const message: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(message)) throw malformedAnswer("it is not an object");
  if (message.error != null && message.content == null) throw eventError(body.toString("utf8"));
  return { body, usage: claudeUsage(message.usage, noUsage) };
}

function passedStream(): ResponseStream {
  const progress = newProgress();
  const watch = createClaudeWatch(progress);
  return passingStream({
    progress,
    keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
    fail: (error) => `event: error\ndata: ${anthropicErrorBody(error)}\n\n`,
    read: (write) =>
      createSseReader((name, data, raw) => {
        if (name === "error") progress.failure ??= eventError(data);
        else {
          watch(data);
          write(raw);
        }
      }),
  });
}

function translated(outgoing: Outgoing, translator: NonNullable<Outgoing["translator"]>): Exchange {
  const { call, deployment, meta } = outgoing;
  return {
    method: "POST",
    path: "/v1/messages",
    body: messagesBody(outgoing.conversation(), deployment.modelId, call.stream, deployment.drops, call.body),
    headers: { "content-type": "application/json", accept: call.stream ? "text/event-stream" : "application/json" },
    answer(body) {
      const answer = messageAnswer(body);
      return { body: translator.answer(answer, call, meta), usage: answer.usage, stopReason: answer.stopReason };
    },
    ...(call.stream ? { stream: () => joinStream(messagesReader, translator.writer(call, meta)) } : {}),
  };
}
