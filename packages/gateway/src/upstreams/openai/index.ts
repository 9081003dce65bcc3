import type { Deployment } from "../../deployments.ts";
import { unsupported } from "../../dialects/body.ts";
import { GatewayError } from "../../errors.ts";
import { joinStream } from "../answer-stream.ts";
import { createBases } from "../base.ts";
import type { Exchange } from "../exchange.ts";
import { createExtraHeaders } from "../extra-headers.ts";
import { httpError } from "../http-error.ts";
import type { KeyOf } from "../key.ts";
import { passedBody } from "../passed-body.ts";
import type { Outgoing, Upstream } from "../upstream.ts";
import { chatAnswerOf } from "./answer.ts";
import { isOllama, ollamaConversation, ollamaUrl } from "./ollama.ts";
import { chatPass, passedAnswer } from "./pass.ts";
import { chatReader } from "./reader.ts";
import { type ChatRequest, chatBody } from "./request.ts";

const openaiUrl = "https://api.openai.com/v1";
const azureVersion = "2024-10-21";

/** OpenAI and whatever speaks its chat completions: vLLM, Ollama, AWS's own endpoint, Azure. */
export function createOpenaiUpstream(keyOf: KeyOf): Upstream {
  const baseOf = createBases(baseUrl);
  const extraHeaders = createExtraHeaders();
  return {
    exchange(outgoing) {
      const { call, translator } = outgoing;
      if (call.dialect === "openai-chat") return chatPass(outgoing);
      if (call.dialect === "openai-embeddings") return embeddingsPass(outgoing);
      if (call.operation === "generate" && translator !== undefined) return translated(outgoing, translator);
      if (call.operation === "count_tokens") throw notCounted();
      throw unsupported("model", "this model cannot be used on this route.");
    },
    async address(exchange, { deployment, caller }) {
      const base = baseOf(deployment);
      const key = await keyOf(deployment, caller);
      const azure = deployment.provider === "azure";
      const proof = key === undefined ? {} : azure ? { "api-key": key } : { authorization: `Bearer ${key}` };
      const path = azure ? azurePath(deployment, exchange.path) : exchange.path;
      const { traceparent } = caller;
      const headers = { ...exchange.headers, ...proof, traceparent, ...extraHeaders(deployment) };
      return { origin: base.origin, path: base.path + path, headers };
    },
    errorOf: httpError,
  };
}

/**
 * Where a deployment's chat completions are. What is not OpenAI's own never goes to OpenAI for want of an address.
 * @throws GatewayError `upstream_denied` without one
 */
function baseUrl(deployment: Deployment): string {
  const { model, api_base } = deployment.params;
  if (isOllama(deployment)) return ollamaUrl(api_base);
  if (api_base !== undefined) return api_base;
  if (model.startsWith("openai/")) return openaiUrl;
  throw new GatewayError("upstream_denied", "This model is configured wrongly at the gateway. Tell its operator.", {
    cause: `'${model}' has no api_base`,
  });
}

function azurePath(deployment: Deployment, path: string): string {
  const version = deployment.params.api_version ?? azureVersion;
  return `/openai/deployments/${encodeURIComponent(deployment.modelId)}${path}?api-version=${encodeURIComponent(version)}`;
}

function translated(outgoing: Outgoing, translator: NonNullable<Outgoing["translator"]>): Exchange {
  const { call, deployment, meta } = outgoing;
  const conversation = outgoing.conversation();
  const stops = [conversation.inferenceConfig.stopSequences ?? []].flat();
  return {
    method: "POST",
    path: "/chat/completions",
    body: chatBody(isOllama(deployment) ? ollamaConversation(conversation) : conversation, {
      model: deployment.modelId,
      stream: call.stream,
      limitName: limitName(deployment),
      drops: deployment.drops,
      vllm: deployment.params.model.startsWith("hosted_vllm/"),
    }),
    headers: { "content-type": "application/json", accept: call.stream ? "text/event-stream" : "application/json" },
    answer(body) {
      const { answer, count } = chatAnswerOf(body, stops);
      return { body: translator.answer(answer, call, meta), ...count };
    },
    ...(call.stream
      ? { stream: () => joinStream((sink) => chatReader(sink, stops), translator.writer(call, meta)) }
      : {}),
  };
}

/** Clients that count have another way, and take it when they are told so: Claude Code asked again for each of its parts. */
function notCounted(): GatewayError {
  return new GatewayError("not_supported", "This model's provider counts no tokens beforehand.", { param: "model" });
}

/** OpenAI itself takes the newer name for all its models; elsewhere its newer models are known by their names. */
function limitName({ provider, modelId, params }: Deployment): ChatRequest["limitName"] {
  const openai = provider === "openai" && params.api_base === undefined;
  return openai || /^(?:gpt-(?:[5-9]|\d\d)|o\d)/.test(modelId) ? "max_completion_tokens" : "max_tokens";
}

function embeddingsPass(outgoing: Outgoing): Exchange {
  const { call, deployment } = outgoing;
  const told = deployment.modelId === call.model ? call.body : { ...call.body, model: deployment.modelId };
  return {
    method: "POST",
    path: "/embeddings",
    body: passedBody(outgoing, told),
    headers: { "content-type": "application/json", accept: "application/json" },
    answer: passedAnswer,
  };
}
