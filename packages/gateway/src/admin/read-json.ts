import type { z } from "zod";
import { GatewayError } from "../errors.ts";
import { createReadBody } from "../http/body.ts";
import type { StageContext } from "../stages.ts";

/** Administration needs no more, whatever the models may be sent. */
const maxBytes = 1_048_576;
/** In milliseconds. Shared by whoever is administered in this process: it holds the bodies that are on their way, no more. */
const readBody = createReadBody(10_000);

/**
 * The body, by its schema.
 * @throws GatewayError `invalid_request`; ZodError naming the fields, answered with 400
 */
export async function readJson<Schema extends z.ZodType>(c: StageContext, schema: Schema): Promise<z.output<Schema>> {
  const bytes = await readBody(c.env.incoming, maxBytes);
  const body = Buffer.from(bytes).toString("utf8");
  // No database can hold it, and no name needs it.
  if (/\0|\\u0000/.test(body))
    throw new GatewayError("invalid_request", "The body holds the character U+0000; leave it out.");
  return schema.parse(body === "" ? {} : parse(body));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new GatewayError("invalid_request", "The body is not JSON.", { cause });
  }
}
