import { AuthError, cached, createVerifier, toWire } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import { type AuthVariables, authenticate } from "@onbehalf/shared-auth/hono";
import { Hono } from "hono";

export interface RedactionOptions {
  /** The authorization server whose tokens for audience `redaction` are accepted, and which exchanges them. */
  readonly issuer: string;
  readonly clientSecret: string;
  /** Where the questions go next. */
  readonly gateway: string;
}

const address = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const passedBack = ["content-type", "retry-after", "www-authenticate", "x-request-id"];

/**
 * A service that joins the chain between Voicebox and the gateway: whatever goes to the model loses its e-mail
 * addresses, and the call stays the user's own: verify, exchange for the next hop, forward.
 */
export function redaction({ issuer, clientSecret, gateway }: RedactionOptions): Hono<{ Variables: AuthVariables }> {
  const verifier = createVerifier({
    issuers: [{ issuer, audience: "redaction", requiredScopes: ["redaction"], dialect: "okta" }],
  });
  const exchange = cached(
    createExchange({
      profile: "okta",
      issuer: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
      clientId: "redaction",
      clientAuth: { method: "client_secret_basic", secret: clientSecret },
      audience: "llm-gateway",
      scopes: ["llm-gateway"],
    }),
  );
  const app = new Hono<{ Variables: AuthVariables }>();
  app.onError((error, c) => {
    if (!(error instanceof AuthError)) throw error;
    const { status, headers, body } = toWire(error);
    return c.json({ error: body }, status, headers);
  });
  app.use(authenticate(verifier));
  app.post("/v1/chat/completions", async (c) => {
    const { signal, headers: incoming } = c.req.raw;
    const { accessToken } = await exchange(c.get("subject"), { signal });
    const headers = new Headers({ "content-type": "application/json", authorization: `Bearer ${accessToken}` });
    for (const name of ["traceparent", "x-request-id"]) headers.set(name, incoming.get(name) ?? "");
    const body = (await c.req.text()).replace(address, "[e-mail address]");
    const answer = await fetch(`${gateway}/v1/chat/completions`, { method: "POST", headers, body, signal });
    const back = [...answer.headers].filter(([name]) => passedBack.includes(name));
    return new Response(answer.body, { status: answer.status, headers: back });
  });
  return app;
}
