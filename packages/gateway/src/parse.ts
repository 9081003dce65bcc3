import type { Dialect } from "./call.ts";
import { GatewayError } from "./errors.ts";
import { createReadBody } from "./http/body.ts";
import type { Step } from "./pipeline.ts";

interface ParseOptions {
  readonly bodyTimeoutMs: number;
}

/**
 * Reads the body once and lets the dialect find out what is asked.
 * @throws GatewayError `request_too_large`, `request_timeout`, `invalid_request`, `unsupported`
 */
export function parse(dialect: Dialect, { bodyTimeoutMs }: ParseOptions): Step {
  const readBody = createReadBody(bodyTimeoutMs);
  return async (c) => {
    const body = await readBody(c.env.incoming, c.env.rules.settings.maxBodyBytes);
    const pattern = c.env.route.path;
    const params = pattern.includes(":") ? c.req.param() : none;
    const call = dialect.parse({
      path: params === none ? pattern : canonicalPath(pattern, params),
      params,
      headers: c.req.raw.headers,
      body,
    });
    if (call.model.length > longestName) {
      const message = `The model's name has ${call.model.length} signs; no model has one of more than ${longestName}.`;
      throw new GatewayError("invalid_request", message, { param: "model" });
    }
    c.env.call = call;
    const model = c.env.rules.forwarding.nameOf(call.model);
    c.env.model = model;
    const { draft } = c.env;
    if (model === call.model) draft.call = call;
    else {
      draft.call = { model, stream: call.stream };
      draft.detail.asked_model = call.model.slice(0, maxName);
    }
    return undefined;
  };
}

/** An ARN of AWS's has less. */
const longestName = 512;
/** As much of a client's word as a row's own model holds. */
const maxName = 300;

/** The canonical spelling also where an alias was called. */
function canonicalPath(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern.replace(/:(\w+)/g, (_, name: string) => params[name] ?? "");
}

const none: Readonly<Record<string, string>> = {};
