import type { CallerTag } from "../../call.ts";
import { operationOf } from "../../dialects/bedrock/parse.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Exchange, UpstreamHeaders } from "../exchange.ts";
import type { Outgoing } from "../upstream.ts";
import { converseUsage } from "./answer.ts";
import { bedrockVersion } from "./claude-body.ts";
import { claudeGeneration } from "./claude-generations.ts";
import { modelPath } from "./converse.ts";
import { foundationModel } from "./family.ts";
import { guardrailStop, invokeUsage } from "./invoke-usage.ts";
import { requestMetadata } from "./metadata.ts";
import { nativeStream } from "./native-stream.ts";
import { reachesNothing } from "./reach.ts";

/** What a client may say of the call besides its body; everything else stays here. */
const passedHeaders = [
  // Claude's clients say some betas here and some in the body.
  "anthropic-beta",
  "x-amzn-bedrock-accept",
  "x-amzn-bedrock-trace",
  "x-amzn-bedrock-guardrailidentifier",
  "x-amzn-bedrock-guardrailversion",
  "x-amzn-bedrock-performanceconfig-latency",
  "x-amzn-bedrock-service-tier",
] as const;

/** Bedrock's own operations, passed on byte for byte but for what the gateway adds: who asks, and its guardrail. */
export function nativeExchange(outgoing: Outgoing, tellUser: boolean): Exchange {
  const { call, deployment, caller } = outgoing;
  const operation = operationOf(call.raw.path);
  if (operation === "count-tokens") return countExchange(outgoing);
  const converse = operation === "converse" || operation === "converse-stream";
  const guardrail = deployment.params.guardrailConfig;
  const bytes = bytesOf(call);
  return {
    method: "POST",
    path: modelPath(deployment.modelId, operation),
    body: converse
      ? converseBytes(call.body, bytes, tellUser ? caller : undefined, guardrail)
      : invokeBytes(call.body, bytes, deployment.modelId),
    headers: {
      "content-type": "application/json",
      accept: call.stream ? "application/vnd.amazon.eventstream" : "application/json",
      ...(converse ? {} : invokeHeaders(call.raw.headers, tellUser ? caller : undefined, guardrail)),
    },
    answer(body, headers) {
      const answer = converse
        ? converseRead(body)
        : { usage: invokeUsage(body, headers), stopReason: guardrailStop(JSON.parse(body.toString("utf8"))) };
      return { body, ...answer, headers: tokenHeaders(headers) };
    },
    ...(call.stream ? { stream: () => nativeStream(converse) } : {}),
  };
}

function countExchange({ call, deployment }: Outgoing): Exchange {
  return {
    method: "POST",
    // Tokens are counted by a model, not by one of its inference profiles.
    path: modelPath(foundationModel(deployment.modelId), "count-tokens"),
    body: bytesOf(call),
    headers: { "content-type": "application/json", accept: "application/json" },
    answer: (body) => ({ body, usage: undefined }),
  };
}

/** The client's own, unless they could say to Bedrock what they did not say here. */
function bytesOf({ raw, body }: Outgoing["call"]): Uint8Array {
  return reachesNothing(raw.body) ? raw.body : Buffer.from(JSON.stringify(body));
}

/**
 * Adds to a Converse body without touching the rest of its bytes where that can be done: before everything else the
 * client said. A client's own metadata or a guardrail of the gateway's need the body written anew.
 */
function converseBytes(
  body: JsonObject,
  bytes: Uint8Array,
  caller: CallerTag | undefined,
  guardrail: unknown,
): string | Uint8Array {
  if (caller === undefined && guardrail === undefined) return bytes;
  const own = isObject(body.requestMetadata) ? stringsOf(body.requestMetadata) : undefined;
  const added = {
    ...(caller === undefined ? {} : { requestMetadata: requestMetadata(caller, own) }),
    ...(guardrail === undefined ? {} : { guardrailConfig: guardrail }),
  };
  // A field of null is one, too, and would be read in place of the one before it.
  if ("requestMetadata" in body || guardrail !== undefined || Object.keys(body).length === 0)
    return JSON.stringify({ ...body, ...added });
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const brace = source.indexOf("{");
  return Buffer.concat([Buffer.from(`${JSON.stringify(added).slice(0, -1)},`), source.subarray(brace + 1)]);
}

/**
 * Claude's newest clients name the newest version of its protocol, whatever model a name stands for; earlier models refuse
 * it. What it says and answers is the same in the one that all of them take.
 */
function invokeBytes(body: JsonObject, bytes: Uint8Array, modelId: string): string | Uint8Array {
  const version = body.anthropic_version;
  if (version === undefined || version === bedrockVersion || claudeGeneration(modelId).newVersion) return bytes;
  return JSON.stringify({ ...body, anthropic_version: bedrockVersion });
}

function stringsOf(from: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(from).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

/** InvokeModel has no field for these; it has headers. */
function invokeHeaders(
  from: Headers,
  caller: CallerTag | undefined,
  guardrail: { guardrailIdentifier: string; guardrailVersion: string } | undefined,
) {
  const headers: Record<string, string> = {};
  for (const name of passedHeaders) {
    const value = from.get(name);
    if (value !== null) headers[name] = value;
  }
  if (caller !== undefined)
    headers["x-amzn-bedrock-request-metadata"] = JSON.stringify(requestMetadata(caller, undefined));
  if (guardrail === undefined) return headers;
  return {
    ...headers,
    "x-amzn-bedrock-guardrailidentifier": guardrail.guardrailIdentifier,
    "x-amzn-bedrock-guardrailversion": guardrail.guardrailVersion,
  };
}

function converseRead(body: Buffer) {
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  if (!isObject(parsed)) return { usage: undefined, stopReason: undefined };
  return {
    usage: converseUsage(parsed.usage),
    stopReason: typeof parsed.stopReason === "string" ? parsed.stopReason : undefined,
  };
}

function tokenHeaders(headers: UpstreamHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of [
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amzn-bedrock-invocation-latency",
  ]) {
    const value = headers[name];
    if (typeof value === "string") passed[name] = value;
  }
  return passed;
}
