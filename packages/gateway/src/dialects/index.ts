import type { Dialect, DialectName } from "../call.ts";
import type { JsonObject } from "./body.ts";
import { openaiChat } from "./openai-chat/index.ts";

/** Every way of speaking to the gateway, by name. */
export const dialects: Readonly<Partial<Record<DialectName, Dialect<JsonObject>>>> = { "openai-chat": openaiChat };
