import type { Dialect } from "../../call.ts";
import type { JsonObject } from "../body.ts";
import { openaiError } from "./error.ts";
import { parseChat } from "./parse.ts";

/** `POST /v1/chat/completions`. */
export const openaiChat: Dialect<JsonObject> = { name: "openai-chat", parse: parseChat, error: openaiError };
