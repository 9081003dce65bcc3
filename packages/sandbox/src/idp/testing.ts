import { captureLogs } from "@onbehalf/service-kit/testing";
import { decodeJwt, type JWTPayload } from "jose";
import { allowInsecureRequests, type Configuration, discovery } from "openid-client";
import { onTestFinished } from "vitest";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import { type IdentityProvider, type IdentityProviderOptions, startIdentityProvider } from "./start.ts";

/** A provider of one test, closed when the test ends; what it logged is kept. */
export async function providerForTest(options: IdentityProviderOptions = {}) {
  const logs = captureLogs();
  const provider = await startIdentityProvider({ destination: logs.destination, ...options });
  onTestFinished(() => provider.close());
  return { provider, logs };
}

/** A relying party on the real openid-client. */
export async function clientOf(provider: IdentityProvider, clientId: string, secret: string): Promise<Configuration> {
  const issuer = new URL(provider.issuerUrl("default"));
  return await discovery(issuer, clientId, secret, undefined, { execute: [allowInsecureRequests] });
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

export type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

/** POSTs a form, with client authentication by secret unless left out. */
export async function post(
  url: string,
  form: Form,
  credentials?: readonly [id: string, secret: string],
): Promise<Answer> {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(form))
    for (const value of [values ?? []].flat()) body.append(name, value);
  const headers: Record<string, string> = { accept: "application/json" };
  if (credentials !== undefined) headers.authorization = `Basic ${btoa(credentials.join(":"))}`;
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
}

export const launchpadBackend = ["launchpad-backend", "launchpad-backend-secret"] as const;
export const voicebox = ["voicebox", "voicebox-secret"] as const;

/** What the two hops of the chain ask for. */
export const toVoicebox = { audience: "voicebox", scope: "voicebox" } as const;
export const toGateway = { audience: "llm-gateway", scope: "llm-gateway" } as const;

/** A token exchange request; fields given replace or (undefined) leave out the usual ones. */
export async function exchange(
  issuerUrl: string,
  credentials: readonly [string, string] | undefined,
  subjectToken: string | undefined,
  fields: Form = {},
): Promise<Answer> {
  const form = {
    grant_type: grantTypes.tokenExchange,
    subject_token: subjectToken,
    subject_token_type: tokenTypes.accessToken,
    ...fields,
  };
  return await post(`${issuerUrl}/v1/token`, form, credentials);
}

/** The claims of an access token in a token answer. */
export function claimsIn({ body }: Answer): JWTPayload & Record<string, unknown> {
  return decodeJwt(String(body.access_token));
}
