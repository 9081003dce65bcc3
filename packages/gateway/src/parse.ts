import type { Dialect } from "./call.ts";
import { createReadBody } from "./http/body.ts";
import type { Step } from "./pipeline.ts";

export interface ParseOptions {
  readonly bodyTimeoutMs: number;
}

/**
 * Reads the body once and lets the dialect find out what is asked.
 * @throws GatewayError `request_too_large`, `request_timeout`, `invalid_request`, `unsupported`
 */
export function parse(dialect: Dialect, { bodyTimeoutMs }: ParseOptions): Step {
  const readBody = createReadBody(bodyTimeoutMs);
  return async (c) => {
    const body = await readBody(c.env.incoming, c.get("rules").settings.maxBodyBytes);
    const call = dialect.parse({
      path: canonicalPath(c.get("route").path, c.req.param()),
      params: c.req.param(),
      headers: c.req.raw.headers,
      body,
    });
    c.set("call", call);
    c.get("draft").call = call;
    return undefined;
  };
}

/** The canonical spelling also where an alias was called. */
function canonicalPath(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern.includes(":") ? pattern.replace(/:(\w+)/g, (_, name: string) => params[name] ?? "") : pattern;
}
