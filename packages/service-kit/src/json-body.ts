import type { Context } from "hono";
import type { z } from "zod";
import { HttpError } from "./http-error.ts";

/**
 * The body by its schema.
 * @throws HttpError 400 `invalid_request` when it is not JSON; ZodError, which is answered 400, when it does not fit
 */
export async function jsonBody<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.output<Schema>> {
  return schema.parse(parse(await c.req.text()));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "invalid_request", "The body is not JSON; send a JSON object.");
  }
}
