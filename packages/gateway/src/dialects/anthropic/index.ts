import type { Dialect } from "../../call.ts";
import type { JsonObject } from "../body.ts";
import { anthropicError } from "./error.ts";
import { parseMessages } from "./parse.ts";

/** `POST /v1/messages` and `/v1/messages/count_tokens`. */
export const anthropic: Dialect<JsonObject> = { name: "anthropic", parse: parseMessages, error: anthropicError };
