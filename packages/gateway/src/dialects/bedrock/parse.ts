import type { LlmCall, Operation, RawCall } from "../../call.ts";
import { type JsonObject, missing, objectField, parseObject } from "../body.ts";
import { defaultOutputTokens, estimateTokens } from "../estimate.ts";
import { nameInProfileArn } from "./profile-arn.ts";

/** Bedrock's operations by the last part of their path. */
type BedrockOperation = "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream" | "count-tokens";

/** A native call: the model is in the path, the body is the operation's own. */
export function parseBedrock(raw: RawCall): LlmCall<JsonObject> {
  const id = raw.params.id;
  if (id === undefined || id === "") throw missing("modelId");
  const name = operationOf(raw.path);
  const body = parseObject(raw.body);
  return {
    dialect: "bedrock",
    operation: purpose(name, body),
    // From here on there is the name only: what is authorised, counted and forwarded is one and the same.
    model: nameInProfileArn(id),
    stream: name === "converse-stream" || name === "invoke-with-response-stream",
    estimate: { inputTokens: estimateTokens(body), outputTokens: name === "count-tokens" ? 0 : outputLimit(body) },
    body,
    raw,
  };
}

/** By the path's last part; the router has seen to it that it is one of these. */
export function operationOf(path: string): BedrockOperation {
  return path.slice(path.lastIndexOf("/") + 1) as BedrockOperation;
}

function purpose(name: BedrockOperation, body: JsonObject): Operation {
  if (name === "count-tokens") return "count_tokens";
  const embeds = name === "invoke" && body.messages === undefined && body.prompt === undefined;
  return embeds &&
    (body.texts !== undefined || body.inputText !== undefined || body.input_type !== undefined) &&
    body.textGenerationConfig === undefined
    ? "embed"
    : "generate";
}

/** Each family calls the limit differently. */
function outputLimit(body: JsonObject): number {
  const converse = objectField(body, "inferenceConfig");
  const titan = objectField(body, "textGenerationConfig");
  const said = [converse?.maxTokens, converse?.max_new_tokens, titan?.maxTokenCount, body.max_tokens, body.max_gen_len];
  return said.find((value): value is number => typeof value === "number" && value > 0) ?? defaultOutputTokens;
}
