import type { Deployment } from "../deployments.ts";
import { isObject } from "../dialects/body.ts";
import { GatewayError } from "../errors.ts";

type Headers = Readonly<Record<string, string>>;

const none: Headers = {};
/** A header's name (RFC 9110 section 5.1), and a value that ends with its line. */
const nameForm = /^[\w!#$%&'*+.^`|~-]+$/;
const valueForm = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The connection's own, and what the request itself decides. */
const ours = /^(?:host|content-length|content-type|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect)$/;

/**
 * LiteLLM's `extra_headers`: what stands before a model wants to be told with each request, for instance which of its
 * own models is meant. They win over the gateway's own, and are read once per deployment.
 */
export function createExtraHeaders(): (deployment: Deployment) => Headers {
  const known = new WeakMap<Deployment["params"], Headers>();
  return ({ params }) => {
    if (params.extra_headers === undefined) return none;
    let headers = known.get(params);
    if (headers === undefined) {
      headers = read(params.extra_headers);
      known.set(params, headers);
    }
    return headers;
  };
}

/** @throws GatewayError `upstream_denied` when they cannot be sent as they are written */
function read(written: unknown): Headers {
  if (!isObject(written)) throw wrong("must be names with their values");
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => {
      const lower = name.toLowerCase();
      if (!nameForm.test(name) || ours.test(lower)) throw wrong(`cannot set '${name.slice(0, 100)}'`);
      if (typeof value === "object" || !valueForm.test(String(value)))
        throw wrong(`'${lower}' has no value that fits a header`);
      return [lower, String(value)];
    }),
  );
}

function wrong(what: string): GatewayError {
  return new GatewayError("upstream_denied", "This model is configured wrongly at the gateway. Tell its operator.", {
    cause: `extra_headers ${what}`,
  });
}
