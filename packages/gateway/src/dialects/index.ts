import type { Dialect, DialectName } from "../call.ts";
import { anthropic } from "./anthropic/index.ts";
import { bedrock } from "./bedrock/index.ts";
import type { JsonObject } from "./body.ts";
import { openaiChat } from "./openai-chat/index.ts";
import { openaiEmbeddings } from "./openai-embeddings/index.ts";
import { openaiResponses } from "./openai-responses/index.ts";

/** Every way of speaking to the gateway, by name. */
export const dialects: Readonly<Record<DialectName, Dialect<JsonObject>>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "openai-embeddings": openaiEmbeddings,
  anthropic,
  bedrock,
};
