import { hash } from "node:crypto";
import { AuthError } from "@onbehalf/shared-auth";
import type { Handler } from "../admin/handlers.ts";
import { GatewayError } from "../errors.ts";
import { createReadBody } from "../http/body.ts";
import type { StageContext } from "../stages.ts";
import { deviceGrant, type SignIn, SignInRefused, type Tokens } from "./sign-in.ts";

/** In milliseconds; holds the bodies that are on their way, no more. */
const readBody = createReadBody(10_000);
const maxFormBytes = 16_384;
const maxTelemetryBytes = 4_194_304;

/**
 * What Claude Code asks of a gateway that its people sign in to with `/login`: the metadata of RFC 8414, the device flow of
 * RFC 8628 at this gateway's own address, since the client follows it to no other, and beside it managed settings and a
 * place for telemetry. Without `sign_in` in the configuration none of it exists.
 * @param publicUrl where clients reach this gateway
 */
export function signInRoutes(publicUrl: () => string): Readonly<Record<string, Handler>> {
  return {
    "GET /.well-known/oauth-authorization-server": (c) => {
      signInOf(c);
      const issuer = publicUrl();
      return c.json({
        issuer,
        device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
        token_endpoint: `${issuer}/oauth/token`,
        grant_types_supported: [deviceGrant, "refresh_token"],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ["none"],
      });
    },
    "POST /oauth/device_authorization": (c) =>
      answered(c, async () => {
        await readForm(c);
        return signInOf(c).begin();
      }),
    "POST /oauth/token": (c) =>
      answered(c, async () => {
        const signIn = signInOf(c);
        const form = await readForm(c);
        const grant = form.get("grant_type") ?? "";
        if (grant === deviceGrant) return opening(c, await signIn.redeem(required(form, "device_code")));
        if (grant === "refresh_token") return opening(c, await signIn.renew(required(form, "refresh_token")));
        throw new SignInRefused(400, "unsupported_grant_type", `Use ${deviceGrant} or refresh_token.`);
      }),
    "GET /managed/settings": (c) => {
      const settings = signInOf(c).managedSettings;
      if (settings === undefined) throw new GatewayError("not_found", "Nothing is managed here.");
      const body = JSON.stringify(settings);
      const etag = `"${hash("sha256", body)}"`;
      const headers = { etag, "cache-control": "private, no-cache", "content-type": "application/json" };
      if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
      return c.body(body, 200, headers);
    },
    "POST /v1/metrics": swallow,
    "POST /v1/logs": swallow,
    "POST /v1/traces": swallow,
  };
}

/** The client reports to where it is signed in, and complains at each report that finds nobody. What it says is not kept. */
async function swallow(c: StageContext): Promise<Response> {
  signInOf(c);
  await readBody(c.env.incoming, maxTelemetryBytes);
  return c.body(null, 200, { "content-type": c.req.header("content-type") ?? "application/json" });
}

function signInOf(c: StageContext): SignIn {
  const { signIn } = c.env.rules;
  if (signIn !== undefined) return signIn;
  throw new GatewayError(
    "not_found",
    "Nobody signs in here: bring a token of your identity provider (sign_in is not configured).",
  );
}

/** OAuth's own form of answers and errors (RFC 6749 sections 5.1 and 5.2), never to be stored by anybody between. */
async function answered(c: StageContext, work: () => Promise<object>): Promise<Response> {
  const headers = { "cache-control": "no-store" };
  try {
    return c.json(await work(), 200, headers);
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error;
    c.get("note")({ error_code: error.error, ...(error.status < 500 ? {} : { reason: String(error.cause) }) });
    const later = error.status === 429 || error.status === 503 ? { "retry-after": "5" } : {};
    return c.json({ error: error.error, error_description: error.message }, error.status as 400, {
      ...headers,
      ...later,
    });
  }
}

/** Said here, where the person still looks: a token that opens nothing would be refused at the next call only. */
async function opening(c: StageContext, tokens: Tokens): Promise<Tokens> {
  try {
    const { issuer, subject } = await c.env.rules.authenticate(
      new Headers({ authorization: `Bearer ${tokens.access_token}` }),
    );
    c.get("note")({ issuer, subject });
    return tokens;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw new SignInRefused(
      400,
      "access_denied",
      `You are signed in, but the token does not open this gateway: ${error.message}`,
      error,
    );
  }
}

async function readForm(c: StageContext): Promise<URLSearchParams> {
  const bytes = await readBody(c.env.incoming, maxFormBytes);
  const form = new URLSearchParams(Buffer.from(bytes).toString("utf8"));
  // RFC 6749, section 3.2: none more than once.
  if (new Set(form.keys()).size !== form.size)
    throw new SignInRefused(400, "invalid_request", "A parameter is there twice.");
  return form;
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null || value === "") throw new SignInRefused(400, "invalid_request", `${name} is missing.`);
  return value;
}
