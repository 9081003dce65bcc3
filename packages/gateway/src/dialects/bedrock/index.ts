import type { Dialect } from "../../call.ts";
import type { JsonObject } from "../body.ts";
import { bedrockDialectError } from "./error.ts";
import { parseBedrock } from "./parse.ts";

/** `POST /model/{id}/{converse,converse-stream,invoke,invoke-with-response-stream,count-tokens}`. */
export const bedrock: Dialect<JsonObject> = { name: "bedrock", parse: parseBedrock, error: bedrockDialectError };
