import type { z } from "zod";
import { GatewayError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import type { StageContext } from "../stages.ts";

/** Administration needs no more, whatever the models may be sent. */
const limits = { maxBytes: 1_048_576, timeoutMs: 10_000 };

/**
 * The body, by its schema.
 * @throws GatewayError `invalid_request`; ZodError naming the fields, answered with 400
 */
export async function readJson<Schema extends z.ZodType>(c: StageContext, schema: Schema): Promise<z.output<Schema>> {
  const bytes = await readBody(c.env.incoming, limits);
  return schema.parse(bytes.length === 0 ? {} : parse(bytes));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("invalid_request", "The body is not JSON.", { cause });
  }
}
