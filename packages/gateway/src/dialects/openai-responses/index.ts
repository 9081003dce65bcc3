import type { Dialect } from "../../call.ts";
import type { JsonObject } from "../body.ts";
import { openaiError } from "../openai-chat/error.ts";
import { parseResponses } from "./parse.ts";

/** `POST /v1/responses`, without a store: every request carries its whole history. */
export const openaiResponses: Dialect<JsonObject> = {
  name: "openai-responses",
  parse: parseResponses,
  error: openaiError,
};
